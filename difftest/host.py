#!/usr/bin/env python3
"""Plays what the host decides, asks `backupxml check --vm` in the same moment, and compares.

    difftest/host.py --run-in 'chroot /srv/sid' --backupxml /opt/backupxml --as root tests/host/scenarios.jsonl

Each scenario of `scenarios/host.py` is played as `preflight.py` plays its own. Just before `backup-begin`, backupxml looks at the same domain and
files, without being given any of them: it has to run where libvirt does. Both verdicts are written as one line of JSON; lines of other scenarios stay.

It needs what `preflight.py` needs, backupxml there, setpriv, and the certificates of `pki.py` in /opt.
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
    found    the rules of backupxml's errors
    warned   the rules of its warnings about the host
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

KEYS = ('name', 'as', 'backup', 'verdict', 'message', 'found', 'warned')
USERS = {'root': 0, 'user': 64055, 'session': 64055}
SESSION = f'setpriv --reuid {USERS["session"]} --regid {USERS["session"]} --clear-groups env HOME=/run/session XDG_RUNTIME_DIR=/run/session'


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument('--run-in', default='', metavar='COMMAND')
    options.add_argument('--backupxml', default='backupxml', metavar='PATH')
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
    preflight.save(path, kept + [{key: line[key] for key in KEYS if key in line} for line in lines])


def play(scenario, run_in, release, options):
    session = options.mode == 'session'
    ask = [options.backupxml, 'check', '--format', 'json', '--vm', 'preflight', 'backup.xml']
    ask += ['--checkpoint', 'checkpoint.xml'] if scenario.checkpoint is not None else []
    ask += ['--reuse-external'] if scenario.reuse else []
    before = [f'QEMU_USER={USERS[options.mode]}', 'export QEMU_USER']
    if session:
        before += ['mkdir -p /run/session', f'chown {USERS["session"]} /run/session', 'export VIRSH_DEFAULT_CONNECT_URI=qemu:///session LIBVIRT_DEFAULT_URI=qemu:///session',
                   f'virsh() {{ {SESSION} virsh "$@"; }}']
    own = f'chown {USERS["session"]} /vm /vm/*' if session else ':'
    run = f'{SESSION} ' if session else ''
    asked = ['sync; T0=$(date +%s%N)', f'{run}{shlex.join(ask)} >/tmp/found.json 2>/tmp/found.err', 'echo', f'echo "{preflight.MARK} time"',
             'echo $(( ($(date +%s%N) - T0) / 1000000 ))', f'echo "{preflight.MARK} found"', 'cat /tmp/found.json', f'echo "{preflight.MARK} failed"', 'cat /tmp/found.err']
    line, parts = preflight.play(scenario, run_in, release, setup=before, own=own, ask=asked)
    line['as'] = options.mode
    line['rule'] = scenario.rule if line['verdict'] == 'refused' else None
    try:
        diagnostics = json.loads(parts['found'])['files'][0]['diagnostics']
    except (ValueError, KeyError, IndexError):
        raise preflight.Unplayable(f"backupxml: {parts.get('found')} {parts.get('failed')}") from None
    rules = lambda severity: sorted({each['rule'] for each in diagnostics if each['severity'] == severity})
    line['libvirt'] = [each['libvirt'] for each in diagnostics if each['severity'] == 'error']
    line['found'], line['warned'], line['time'] = rules('error'), [rule for rule in rules('warning') if rule.startswith('host/')], int(parts['time'])
    return line


if __name__ == '__main__':
    main()
