#!/usr/bin/env python3
"""Starts backups on a real libvirtd and records its answers.

    difftest/preflight.py --run-in 'chroot /srv/sid' tests/preflight

Each scenario of the tables in `difftest/scenarios/` is played: images are made, a small domain without a guest is defined and started, its
checkpoints are created, and `virsh backup-begin` is run. What it said is written as one line of JSON into `scenarios.jsonl`, or into `host.jsonl`
where the verdict depends on more than the documents. Then everything is taken away again.

It needs root, libvirtd with QEMU for x86 and ARM (KVM is not needed), virsh, qemu-img, qemu-nbd, qemu-storage-daemon and losetup.
`--run-in COMMAND` is how to start a shell where they are: `chroot FOLDER`, `podman exec -i NAME`, `ssh HOST`; with none, here. There, `/vm` must be
empty or missing, and no domain or pool may be called `preflight`.

    --only PATTERN  play the scenarios whose names match, and only print; may be given more than once
    --then COMMAND  with --only: what to run after backup-begin, and print
    --keep          play what is not yet recorded, and keep the other lines

Keys of a line:

    name            of the scenario
    backup          the document given to backup-begin
    domain          `virsh dumpxml` of the domain just before
    checkpoint      the checkpoint document passed along
    existing        names of the domain's checkpoints, oldest first
    dumps           `virsh checkpoint-dumpxml` of each of them, mostly without its <domain>
    reuse_external  true: with --reuse-external
    release, qemu   versions of libvirt and QEMU
    verdict         accepted or refused
    message         what virsh printed, without the leading `error: `
    rule            the rule that foretells it; null when accepted, or when none does
    after           of an accepted one that has such a command: what it printed, such as the header of the copy
    again           of an accepted one: what virsh printed when the same backup was begun once more, after the first had ended and without the
                    checkpoint; null when that was accepted too
    host            true: the host's state had a part in the verdict

Ids and times are replaced by fixed ones, so that recording again shows only what changed in libvirt's mind.
"""

import argparse
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

from scenarios import SCENARIOS
from scenarios.words import FOLDER

MARK = '@@@@'
UUID = '3a4f5c1e-7c1d-4d59-9c4a-2f6a1d0e7b11'


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument('--run-in', default='', metavar='COMMAND')
    options.add_argument('--only', action='append', metavar='PATTERN')
    options.add_argument('--keep', action='store_true')
    options.add_argument('--then', default='', metavar='COMMAND')
    options.add_argument('folder', type=Path, nargs='?', default='tests/preflight')
    options = options.parse_args()
    run_in = shlex.split(options.run_in)
    names = [scenario.name for scenario in SCENARIOS]
    if doubled := {name for name in names if names.count(name) > 1}:
        sys.exit(f'two scenarios of one name: {", ".join(sorted(doubled))}')

    # Remove everything in it.
    if shell(run_in, f'ls -A {FOLDER} 2>/dev/null; virsh -c qemu:///system domuuid preflight 2>/dev/null').strip():
        sys.exit(f'{FOLDER} is not empty, or there is a domain called preflight')
    release = versions(run_in)
    if options.only:
        for scenario in SCENARIOS:
            if any(re.search(word, scenario.name) for word in options.only):
                try:
                    show(play(scenario, run_in, release, options.then)[0])
                except Unplayable as error:
                    print(f'{scenario.name}: {error}')
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    all_played = True
    for file, host in (('scenarios.jsonl', False), ('host.jsonl', True)):
        all_played &= record(options.folder / file, [each for each in SCENARIOS if each.host == host], options.keep, run_in, release)
    sys.exit(0 if all_played else 1)


def record(path, scenarios, keep, run_in, release):
    """Runs the scenarios and writes their lines in the order of the tables. Returns whether all could be run."""
    known = {}
    if keep and path.exists():
        known = {line['name']: line for line in map(json.loads, path.read_text().splitlines())}
    lines, failed = [], 0
    for scenario in scenarios:
        try:
            line = known.get(scenario.name) or play(scenario, run_in, release)[0]
        except Unplayable as error:
            print(f'{scenario.name}: {error}', file=sys.stderr)
            failed += 1
            continue
        line['rule'] = scenario.rule if line['verdict'] == 'refused' else None
        if scenario.rule and line['verdict'] == 'accepted':
            print(f'{scenario.name}: accepted, not {scenario.rule}', file=sys.stderr)
        lines.append(line)
        if len(lines) % 20 == 0:
            played = {line['name'] for line in lines}
            save(path, [*lines, *(line for name, line in known.items() if name not in played)])
    save(path, lines)
    refused = sum(line['verdict'] == 'refused' for line in lines)
    print(f'{path}: {len(lines)} scenarios, {refused} refused, {failed} not played', file=sys.stderr)
    return not failed


def save(path, lines):
    path.write_text(''.join(json.dumps(line, ensure_ascii=False) + '\n' for line in lines))


class Unplayable(Exception):
    """Something before backup-begin failed."""


def versions(run_in):
    text = shell(run_in, 'virsh -c qemu:///system version')
    return {'release': re.search(r'Using library: libvirt (\S+)', text)[1],
            'qemu': re.search(r'Running hypervisor: QEMU (\S+)', text)[1]}


def play(scenario, run_in, release, then='', setup=(), own=':', ask=()):
    """The line of one scenario, and what was printed. `setup` comes first, `own` once the domain's images are made, `ask` just before backup-begin."""
    parts = sections(shell(run_in, script(scenario, then, setup, own, ask)))
    if 'unplayable' in parts:
        raise Unplayable(parts['unplayable'].strip())
    line = {'name': scenario.name, 'backup': scenario.backup,
            'domain': re.sub(r"(<domain [^>]*\bid=)'\d+'", r"\1'1'", parts['domain'])}
    if scenario.checkpoint is not None:
        line['checkpoint'] = scenario.checkpoint
    if scenario.existing:
        line['existing'] = parts['names'].split()
        dumps = [parts[f'dump {name}'] for name in line['existing']]
        line['dumps'] = [re.sub(r'(<creationTime>)\d+', r'\g<1>1700000000', text) for text in dumps]
    if scenario.reuse:
        line['reuse_external'] = True
    line |= release
    accepted = parts['status'].strip() == '0'
    line['verdict'] = 'accepted' if accepted else 'refused'
    if accepted:
        if scenario.after:
            line['after'] = without_times(parts['after'].strip())
        line['again'] = message(parts['again']) or None
    else:
        line['message'] = message(parts['said'])
    line['rule'] = scenario.rule
    if scenario.host:
        line['host'] = True
    if then:
        line['then'] = parts['then']
    return line, parts


def message(said):
    """What virsh printed to standard error, without its `error: ` and the time."""
    return without_times(re.sub(r'^error: ', '', said.strip(), flags=re.MULTILINE))


def without_times(text):
    return re.sub(r'\.1[7-9]\d{8}\b', '.1700000000', text)


def sections(text):
    """The output after each marker, by the marker's name."""
    pieces = re.split(rf'^{MARK} (.*)\n', text, flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2]))


def script(scenario, then, setup, own, ask):
    """The shell script of a scenario."""
    must = [*(step for disk in scenario.disks for step in disk.prepare), *scenario.prepare, own]
    lines = ['exec 2>&1', 'export LC_ALL=C VIRSH_DEFAULT_CONNECT_URI=qemu:///system', *setup,
             f'mkdir -p {FOLDER}; cd {FOLDER} && rm -rf ./*',
             'bad() { echo; echo "@@@@ unplayable"; echo "$1"; cat log; clean; exit; }', 'clean() {',
             # Faster than `virsh destroy`, which waits for a second.
             'virsh domjobabort preflight', "virsh qemu-monitor-command preflight '{\"execute\":\"quit\"}'",
             'sleep 0.1', 'virsh destroy preflight',
             'virsh undefine --checkpoints-metadata --snapshots-metadata preflight', *scenario.clean, *(step for disk in scenario.disks for step in disk.clean),
             f'cd {FOLDER} && rm -rf ./*; }} >/dev/null 2>&1']
    must.insert(0, '! virsh dominfo preflight')
    lines += ['clean', write('domain.xml', domain(scenario)), write('backup.xml', scenario.backup)]
    arguments = 'preflight backup.xml'
    if scenario.checkpoint is not None:
        lines.append(write('checkpoint.xml', scenario.checkpoint))
        arguments += ' checkpoint.xml'
    if scenario.reuse:
        arguments += ' --reuse-external'
    must += ['virsh define domain.xml'] + ([] if scenario.stopped else ['virsh start --paused preflight'])
    for number, text in enumerate(scenario.existing):
        lines.append(write(f'existing{number}.xml', text))
        must.append(f'virsh checkpoint-create preflight existing{number}.xml')
    must += scenario.before
    no_domain = '' if scenario.full_dumps else '--no-domain'
    for step in must:
        lines.append(f'{{ {step}\n}} >log 2>&1 || bad {shlex.quote(step)}')
    lines += [f'echo "{MARK} domain"', 'virsh dumpxml preflight',
              f'echo "{MARK} names"', 'names=$(virsh checkpoint-list --topological --name preflight)', 'echo "$names"',
              f'for name in $names; do echo "{MARK} dump $name"; virsh checkpoint-dumpxml {no_domain} preflight $name; done',
              *ask, f'echo "{MARK} said"', f'virsh -q backup-begin {arguments} >/dev/null', 'status=$?',
              f'echo "{MARK} status"', 'echo $status']
    if then:
        lines += [f'echo "{MARK} then"', then]
    if not then:
        lines += ['[ $status = 0 ] || { clean; exit; }', *second_run(scenario)]
    return '\n'.join([*lines, 'clean', ''])


def second_run(scenario):
    """Begins the backup once more, when the first has ended. Generated names are taken from the time, so they need another second."""
    is_pull = "mode='pull'" in scenario.backup
    ended = 'for _ in $(seq 40); do virsh domjobinfo preflight 2>&1 | grep -q -e "Job type: *None" -e error: && break; sleep 0.05; done'
    generated = '<target' not in scenario.backup and '<scratch' not in scenario.backup
    return [*([] if is_pull else [ended]), f'echo "{MARK} after"', *scenario.after,
            f'virsh domjobabort preflight >/dev/null 2>&1; {ended}', *(['sleep 1'] if generated else []), f'echo "{MARK} again"',
            f'virsh -q backup-begin preflight backup.xml {"--reuse-external" if scenario.reuse else ""} >/dev/null']


def write(path, text):
    return f"cat >{path} <<'{MARK}'\n{text}{'' if text.endswith(chr(10)) else chr(10)}{MARK}"


def domain(scenario):
    disks = '\n'.join('    ' + disk.xml for disk in scenario.disks)
    return f"""<domain type='qemu'>
  <name>preflight</name>
  <uuid>{UUID}</uuid>
  <memory unit='MiB'>{2 if scenario.arch == 'x86_64' else 64}</memory>
  <os><type arch='{scenario.arch}' machine='{scenario.machine}'>hvm</type>{scenario.os}</os>
  {scenario.domain}
  <devices>
{disks}
    {"" if scenario.usb else "<controller type='usb' model='none'/>"}
    <memballoon model='none'/>{scenario.devices}
  </devices>
</domain>
"""


def shell(run_in, text):
    done = subprocess.run([*run_in, 'sh'], input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    return done.stdout.decode()


def show(line):
    print(f"{line['name']}: {line['verdict']}" + (f" ({line['rule']})" if line['rule'] else ''), flush=True)
    for key in ('message', 'then', 'after', 'again'):
        if text := line.get(key):
            print(f'  {key}:')
            print('    ' + text.strip().replace('\n', '\n    '))


if __name__ == '__main__':
    main()
