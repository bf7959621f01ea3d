#!/usr/bin/env python3
"""Starts the backups that `backupxml new` writes on a real libvirtd, and records them.

    difftest/new.py --run-in 'chroot /srv/sid' target/debug/backupxml tests/new/started.jsonl

For each domain below: its images are made, it is defined and started, its checkpoints are created, `backupxml new` writes the documents from
`virsh dumpxml` and `virsh checkpoint-dumpxml`, and `virsh backup-begin` starts what it wrote. One line of JSON is recorded for each. What is
needed, and `--run-in`, are as for `preflight.py`.

Keys of a line:

    name            of the case
    domain          `virsh dumpxml` of the domain
    dumps           `virsh checkpoint-dumpxml --no-domain` of each of its checkpoints, oldest first
    arguments       of `backupxml new`, without --domain, --existing-checkpoint and --checkpoint-file
    backup          what it wrote
    checkpoint      the checkpoint document that it wrote
    release, qemu   versions of libvirt and QEMU
    verdict         accepted or refused
    message         what virsh printed, if it refused

The exit status is 1 if one was refused.
"""

import argparse
import json
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from preflight import MARK, domain, message, sections, shell, versions, write
from scenarios.disk import CDROM, FLOPPY, NBD, NBD_QCOW2, SHARED_MEMORY, TRANSIENT, VHOST_USER, VOLUME
from scenarios.words import FOLDER, Disk, Scenario, block, checkpoint, covers, disk, empty, image, qcow2, raw

TWO = (qcow2('vda'), qcow2('vdb'))
READ_ONLY = qcow2('vdb', inside='<readonly/>')
CHAIN = disk('vda', 'qcow2', prepare=(image('/vm/base.qcow2'), image('/vm/vda.qcow2', options='-b /vm/base.qcow2 -F qcow2', size='')))
ONE_IMAGE = {'path': '/vm/one', 'inside': '<shareable/>'}
OTHER_FLOPPY = replace(FLOPPY, prepare=(image('/vm/fda.img', 'raw', '1440k'),))
BUSES = (qcow2('sdb', bus='scsi'), qcow2('hda', bus='ide'), qcow2('vdb'), qcow2('sda', bus='scsi'), qcow2('vda'), qcow2('sdc', bus='usb'))
NEW = '--new-checkpoint cp2'
PULL = '--mode pull --server /vm/nbd'


def case(name, disks, arguments='--suffix s', *existing, **more):
    """A domain, and the arguments of `new`. Checkpoints are tuples of the disks that they cover, called cp1 and so on."""
    names = (f'cp{number}' for number in range(1, len(existing) + 1))
    existing = tuple(checkpoint(name, *covers(*covered)) for name, covered in zip(names, existing))
    return Scenario(name, arguments, disks, existing=existing, **more)


CASES = [
    case('one', (qcow2('vda'),)),
    case('two-and-checkpoint', TWO, '--new-checkpoint cp1'),
    case('raw-and-checkpoint', (qcow2('vda'), raw('vdb')), '--new-checkpoint cp1'),
    case('empty-drive', (qcow2('vda'), empty())),
    case('cdrom-and-floppy', (CDROM, OTHER_FLOPPY, qcow2('vda')), '--new-checkpoint cp1'),
    case('devices', (block('vda'), block('vdb', 'raw')), '--new-checkpoint cp1'),
    case('transient', (TRANSIENT, qcow2('vdb'))),
    case('network', (NBD, qcow2('vdb')), '--new-checkpoint cp1'),
    case('network-qcow2', (NBD_QCOW2,), '--new-checkpoint cp1'),
    case('volume', (VOLUME, qcow2('vdb')), '--new-checkpoint cp1'),
    case('vhost-user', (VHOST_USER, qcow2('vdb')), domain=SHARED_MEMORY),
    case('buses', BUSES, '--new-checkpoint cp1', usb=True),
    case('chain', (CHAIN,), '--new-checkpoint cp1'),
    case('shared-image', (raw('vda', **ONE_IMAGE), raw('vdb', **ONE_IMAGE), qcow2('vdc')), '--new-checkpoint cp1'),
    case('read-only', (qcow2('vda'), READ_ONLY)),
    case('read-only-chosen', (qcow2('vda'), READ_ONLY), '--disk vdb --disk vda --new-checkpoint cp1'),
    case('chosen', TWO, '--disk vda --new-checkpoint cp1'),
    case('excluded', TWO, '--exclude vdb --new-checkpoint cp1'),
    case('incremental', TWO, f'--incremental cp1 {NEW}', ('vda', 'vdb')),
    case('incremental-of-two', TWO, '--incremental cp1 --suffix s', ('vda', 'vdb'), ('vda', 'vdb')),
    case('incremental-not-covered', TWO, f'--incremental cp1 {NEW}', ('vda',)),
    case('incremental-raw', (qcow2('vda'), raw('vdb')), f'--incremental cp1 {NEW}', ('vda',)),
    case('incremental-nothing-covered', (qcow2('vda'), raw('vdb')), '--incremental cp1 --exclude vda --suffix s', ('vda',)),
    case('incremental-chain', (CHAIN, empty()), f'--incremental cp1 {NEW}', ('vda',)),
    case('pull', TWO, f'{PULL} --suffix s'),
    case('pull-raw-and-checkpoint', (raw('vda'), block('vdb')), f'{PULL} --new-checkpoint cp1'),
    case('pull-tcp', (qcow2('vda'), CDROM), '--mode pull --server 127.0.0.1 --suffix s'),
    case('pull-incremental', TWO, f'{PULL} --incremental cp1 {NEW}', ('vda',)),
]


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument('--run-in', default='', metavar='COMMAND')
    options.add_argument('program', type=Path)
    options.add_argument('file', type=Path)
    options = options.parse_args()
    run_in = shlex.split(options.run_in)
    # Everything in it is removed.
    if shell(run_in, f'ls -A {FOLDER} 2>/dev/null; virsh -c qemu:///system domuuid preflight 2>/dev/null').strip():
        sys.exit(f'{FOLDER} is not empty, or there is a domain called preflight')
    release = versions(run_in)
    lines = [play(case, run_in, release, options.program.absolute()) for case in CASES]
    options.file.parent.mkdir(parents=True, exist_ok=True)
    options.file.write_text(''.join(json.dumps(line, ensure_ascii=False) + '\n' for line in lines))
    refused = [line['name'] for line in lines if line['verdict'] == 'refused']
    print(f'{len(lines)} domains, {len(refused)} refused', *refused, file=sys.stderr)
    sys.exit(1 if refused else 0)


def play(case, run_in, release, program):
    """The line of one case."""
    try:
        parts = sections(shell(run_in, set_up(case)))
        if 'unplayable' in parts:
            sys.exit(f'{case.name}: {parts["unplayable"].strip()}')
        line = {'name': case.name, 'domain': re.sub(r"(<domain [^>]*\bid=)'\d+'", r"\1'1'", parts['domain']),
                'dumps': [re.sub(r'(<creationTime>)\d+', r'\g<1>1700000000', parts[f'dump {name}']) for name in parts['names'].split()],
                'arguments': ['--to', f'{FOLDER}/to', *shlex.split(case.backup)]}
        line |= documents(line, program) | release
        parts = sections(shell(run_in, begin(line)))
        accepted = parts['status'].strip() == '0'
        line['verdict'] = 'accepted' if accepted else 'refused'
        if not accepted:
            line['message'] = message(parts['said'])
            print(f'{case.name}: {line["message"]}', file=sys.stderr)
        return line
    finally:
        shell(run_in, clean(case))


def documents(line, program):
    """What `new` writes."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / 'domain.xml').write_text(line['domain'])
        arguments = [program, 'new', '--domain', 'domain.xml', *line['arguments']]
        for number, dump in enumerate(line['dumps']):
            (folder / f'dump{number}').write_text(dump)
            arguments += ['--existing-checkpoint', f'@dump{number}']
        if '--new-checkpoint' in line['arguments']:
            arguments += ['--checkpoint-file', 'checkpoint.xml']
        done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f'{line["name"]}: {done.stderr}')
        written = {'backup': done.stdout}
        if '--new-checkpoint' in line['arguments']:
            written['checkpoint'] = (folder / 'checkpoint.xml').read_text()
        return written


HEAD = ['exec 2>&1', 'export LC_ALL=C VIRSH_DEFAULT_CONNECT_URI=qemu:///system', f'mkdir -p {FOLDER}; cd {FOLDER}']


def set_up(case):
    lines = [*HEAD, 'bad() { echo; echo "@@@@ unplayable"; echo "$1"; cat log; exit; }', 'mkdir to', write('domain.xml', domain(case))]
    must = [*(step for disk in case.disks for step in disk.prepare), 'virsh define domain.xml', 'virsh start --paused preflight']
    for number, text in enumerate(case.existing):
        lines.append(write(f'existing{number}.xml', text))
        must.append(f'virsh checkpoint-create preflight existing{number}.xml')
    lines += [f'{{ {step}\n}} >log 2>&1 || bad {shlex.quote(step)}' for step in must]
    lines += [f'echo "{MARK} domain"', 'virsh dumpxml preflight',
              f'echo "{MARK} names"', 'names=$(virsh checkpoint-list --topological --name preflight)', 'echo "$names"',
              f'for name in $names; do echo "{MARK} dump $name"; virsh checkpoint-dumpxml --no-domain preflight $name; done', '']
    return '\n'.join(lines)


def begin(line):
    lines = [*HEAD, write('backup.xml', line['backup'])]
    arguments = 'preflight backup.xml'
    if 'checkpoint' in line:
        lines.append(write('checkpoint.xml', line['checkpoint']))
        arguments += ' checkpoint.xml'
    return '\n'.join([*lines, f'echo "{MARK} said"', f'virsh -q backup-begin {arguments} >/dev/null', 'status=$?',
                      f'echo "{MARK} status"', 'echo $status', ''])


def clean(case):
    lines = [*HEAD, 'virsh domjobabort preflight', 'virsh destroy preflight', 'virsh undefine --checkpoints-metadata preflight',
             *(step for disk in case.disks for step in disk.clean), f'cd {FOLDER} && rm -rf ./*', '']
    return '\n'.join(lines)


if __name__ == '__main__':
    main()
