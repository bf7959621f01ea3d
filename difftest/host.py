#!/usr/bin/env python3
"""Plays what the host decides, asks `backupxml check --vm` in the same moment, and compares.

    difftest/host.py --run-in 'chroot /srv/sid' --backupxml /opt/backupxml --as root tests/host/scenarios.jsonl

Each scenario of `scenarios/host.py` is played as `preflight.py` plays its own. Just before `backup-begin`, backupxml looks at the same domain and
files, without being given any of them: it has to run where libvirt does. What virsh answered, what the machine showed and what libvirt did are written
as one line of JSON, from which `cargo test` predicts the verdict again; lines of other scenarios stay.

It needs what `preflight.py` needs, backupxml and backupxml-difftest there, setpriv, and the certificates of `pki.py` in /opt.
`--as` says whom QEMU runs as there:

    root      user = "root" in qemu.conf
    user      user = "libvirt-qemu" in qemu.conf
    session   a session of the user libvirt-qemu, which has a libvirtd of its own

    --only PATTERN  play the scenarios whose names match, and print each; may be given more than once

Keys of a line:

    name     of the scenario
    as       root, user or session
    backup   the document given to backup-begin
    verdict  accepted or refused
    message  what virsh printed, without the leading `error: `
    answers  what virsh answered to each command; `= MODE/NAME` for the domain of that scenario
    files    what `backupxml-difftest facts` printed; what is false or empty is left out
    checkpoint, reuse_external   as in preflight.py

Ids, inodes and times are replaced by fixed ones.
"""

import argparse
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import preflight
from scenarios.host import TABLE

KEYS = ('name', 'as', 'backup', 'checkpoint', 'reuse_external', 'verdict', 'message', 'answers', 'files')
USERS = {'root': 0, 'user': 64055, 'session': 64055}
SESSION = f'setpriv --reuid {USERS["session"]} --regid {USERS["session"]} --clear-groups env HOME=/run/session XDG_RUNTIME_DIR=/run/session'


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument('--run-in', default='', metavar='COMMAND')
    options.add_argument('--backupxml', default='backupxml', metavar='PATH')
    options.add_argument('--difftest', default='backupxml-difftest', metavar='PATH')
    options.add_argument('--as', dest='mode', choices=USERS, required=True)
    options.add_argument('--only', action='append', metavar='PATTERN')
    options.add_argument('file', type=Path, nargs='?')
    options = options.parse_args()
    run_in = shlex.split(options.run_in)
    release = preflight.versions(run_in)
    chosen = [each for each in TABLE if options.mode in each.modes]
    if options.only:
        chosen = [each for each in chosen if any(re.search(word, each.name) for word in options.only)]
    lines, wrong = [], 0
    for scenario in chosen:
        try:
            line = play(scenario, run_in, release, options)
        except (preflight.Unplayable, subprocess.TimeoutExpired) as error:
            print(f'{scenario.name}: {error}', file=sys.stderr)
            continue
        is_right = bool(line['found']) == (line['verdict'] == 'refused')
        wrong += not is_right
        if options.only or not is_right:
            print(f"{'' if is_right else 'WRONG '}{line['name']}: {line['verdict']} ({line.get('message', '')}), found {line['found']} {line['warned']}", flush=True)
        if is_right and line['found'] and line['message'].splitlines()[0] not in [words.splitlines()[0] for words in line['libvirt']]:
            print(f"WORDS {line['name']}: {line['message']}\n      {line['libvirt']}", flush=True)
        lines.append(line)
        if options.file:
            save(options.file, options.mode, lines)
    if not lines:
        sys.exit('nothing was played')
    refused = sum(line['verdict'] == 'refused' for line in lines)
    times = sorted(line['time'] for line in lines)
    print(f'{options.mode}: {len(lines)} of {len(chosen)} scenarios played, {refused} refused, {wrong} not as backupxml says; '
          f'{times[len(times) // 2]} ms in the middle', file=sys.stderr)
    sys.exit(1 if wrong else 0)


def save(path, mode, lines):
    kept = []
    if path.exists():
        names = {line['name'] for line in lines}
        kept = [line for line in map(json.loads, path.read_text().splitlines()) if line.get('as') != mode or line['name'] not in names]
    texts = {}
    for line in kept:
        text = line['answers']['dumpxml']
        line['answers']['dumpxml'] = texts.get(text[2:], text) if text.startswith('= ') else text
        texts[f"{line['as']}/{line['name']}"] = line['answers']['dumpxml']
    lines = kept + [{key: line[key] for key in KEYS if key in line} for line in lines]
    first = {}
    for index, line in enumerate(lines):
        name = first.setdefault(line['answers']['dumpxml'], f"{line['as']}/{line['name']}")
        if name != f"{line['as']}/{line['name']}":
            lines[index] = {**line, 'answers': {**line['answers'], 'dumpxml': f'= {name}'}}
    preflight.save(path, lines)


# Runs virsh, and keeps what it was asked and what it answered.
RECORDER = '''for script; do :; done
printf '@@@call %s\\n' "$script" >>/tmp/answers
virsh "$@" 2>&1 | tee -a /tmp/answers
'''
# What of `domstats` matters; the rest are counters.
STATISTICS = re.compile(r'^  block\.(count|\d+\.(name|path|backingIndex|allocation|capacity|physical))=')


def answers(text):
    """The answer to each command, by the command's name and its words."""
    found = {}
    for call in text.split('@@@call ')[1:]:
        asked, said = call.split('\n', 1)
        for mark, command in re.findall(r'echo (@@\S+@\d+@); (.*?); (?=echo @@)', asked):
            answer = said.split(mark, 1)[1].split(mark[:mark.rindex('@', 0, -1) + 1], 1)[0].strip()
            words = shlex.split(command)
            values = [value for option, value in zip(words, words[1:]) if option in ('--checkpointname', '--path', '--vol', '--pool')]
            found[' '.join([words[0], *values])] = stable(words[0], answer)
    return found


def stable(command, answer):
    if command == 'domstats':
        answer = '\n'.join(line for line in answer.splitlines() if STATISTICS.match(line))
    answer = re.sub(r"(<domain [^>]*\bid=)'\d+'", r"\1'1'", answer)
    answer = re.sub(r'(<creationTime>)\d+', r'\g<1>1700000000', answer)
    return preflight.without_times(answer)


def compact(files):
    """Facts without what is false or empty, and with small numbers for devices and inodes."""
    devices, inodes = {}, {}
    number = lambda known, written: str(known.setdefault(written, len(known) + 1))
    text = re.sub(r'"(\d+):(\d+)"', lambda id: f'"{number(devices, id[1])}:{number(inodes, id[2]) if id[2] != "0" else 0}"', files)
    text = re.sub(r'"device": ?(\d+)', lambda device: f'"device":{number(devices, device[1])}', text)
    return without_defaults(json.loads(text))


def without_defaults(value):
    if isinstance(value, list):
        return [without_defaults(each) for each in value]
    if not isinstance(value, dict):
        return value
    # Variants of an enumeration begin with a capital.
    return {key: without_defaults(each) for key, each in value.items() if key[0].isupper() or not (each is None or each is False or each in ('', [], {})) }


def play(scenario, run_in, release, options):
    session = options.mode == 'session'
    ask = [options.backupxml, 'check', '--format', 'json', '--vm', 'preflight', 'backup.xml']
    ask += ['--checkpoint', 'checkpoint.xml'] if scenario.checkpoint is not None else []
    ask += ['--reuse-external'] if scenario.reuse else []
    before = [f'QEMU_USER={USERS[options.mode]}', 'export QEMU_USER']
    if session:
        before += ['mkdir -p /run/session', f'chown {USERS["session"]} /run/session', 'export VIRSH_DEFAULT_CONNECT_URI=qemu:///session LIBVIRT_DEFAULT_URI=qemu:///session',
                   f'virsh() {{ {SESSION} virsh "$@"; }}']
    name = re.search(r'<name>([^<]*)</name>', scenario.checkpoint or '')
    look = [options.difftest, 'facts', '--vm', 'preflight', '--virsh', 'sh /tmp/virsh-recorder', '--suffix', name[1] if name else '1700000000', 'backup.xml']
    look += ['--checkpoint', 'checkpoint.xml'] if scenario.checkpoint is not None else []
    look += ['--reuse-external'] if scenario.reuse else []
    before += [preflight.write('/tmp/virsh-recorder', RECORDER)]
    own = f'chown {USERS["session"]} /vm /vm/*' if session else ':'
    run = f'{SESSION} ' if session else ''
    asked = ['sync; T0=$(date +%s%N)', f'{run}{shlex.join(ask)} >/tmp/found.json 2>/tmp/found.err', 'echo', f'echo "{preflight.MARK} time"',
             'echo $(( ($(date +%s%N) - T0) / 1000000 ))', f'echo "{preflight.MARK} found"', 'cat /tmp/found.json', f'echo "{preflight.MARK} failed"', 'cat /tmp/found.err',
             'rm -f /tmp/answers', f'echo "{preflight.MARK} files"', f'{run}{shlex.join(look)}', f'echo "{preflight.MARK} answers"', 'cat /tmp/answers', 'echo']
    line, parts = preflight.play(scenario, run_in, release, setup=before, own=own, ask=asked)
    line['as'] = options.mode
    line['rule'] = scenario.rule if line['verdict'] == 'refused' else None
    try:
        diagnostics = json.loads(parts['found'])['files'][0]['diagnostics']
        line['files'], line['answers'] = compact(parts['files']), answers(parts['answers'])
    except (ValueError, KeyError, IndexError):
        raise preflight.Unplayable(f"backupxml: {parts.get('found')} {parts.get('failed')} {parts.get('files')}") from None
    rules = lambda severity: sorted({each['rule'] for each in diagnostics if each['severity'] == severity})
    line['libvirt'] = [each['libvirt'] for each in diagnostics if each['severity'] == 'error']
    line['found'], line['warned'], line['time'] = rules('error'), [rule for rule in rules('warning') if rule.startswith('host/')], int(parts['time'])
    return line


if __name__ == '__main__':
    main()
