#!/usr/bin/env python3
"""Runs the program on hostile input: large, deep, repetitive, broken, or not a document at all.

    cargo build --release
    fuzz/hostile.py target/release/backupxml              every document with every command
    fuzz/hostile.py target/release/backupxml deep bomb    only those whose names begin with these words

Documents that are hostile only together with others, such as a domain of 20,000 disks, are run with them.

Each run has 5 s of processor time and 1 GiB of memory, must exit with 0, 1 or 2, must not panic, and must not write control
characters; only a diff, which may be applied as a patch, contains those of the document unless it is printed to a terminal.
Violations are printed, and make the exit status 1. Documents have up to 75 MB and are created in the temporary directory one
after the other; all of them take some 20 minutes.
"""
import os
import pathlib
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time

MILLION = 1_000_000
SECONDS = 5
MEMORY = 1 << 30
examples = pathlib.Path(__file__).resolve().parent.parent / "examples"
BACKUP, DOMAIN = examples / "backup.xml", examples / "domain.xml"
WAYS = {
    "full": ["check"],
    "concise": ["check", "--format", "concise", "--domain", DOMAIN],
    "json": ["check", "--format", "json"],
    "sarif": ["check", "--format", "sarif"],
    "github": ["check", "--format", "github"],
    "status": ["check", "--status"],
    "fix": ["check", "--unsafe-fixes", "--diff"],
    "normalize": ["normalize"],
    "as the domain": ["check", BACKUP, "--domain"],
}


def inside(content):
    return f"<domainbackup>{content}</domainbackup>"


def disks(content, times=1):
    return inside(f"<disks>{content * times}</disks>")


def numbered(pattern, times):
    return "".join(pattern.replace("#", str(number)) for number in range(times))


def bomb():
    entities = "".join(f"<!ENTITY e{level} '{f'&e{level - 1};' * 10}'>" for level in range(1, 10))
    return f"<!DOCTYPE domainbackup [<!ENTITY e0 'ten letters'>{entities}]>" + inside("&e9;")


def target(labels):
    return disks(f"<disk name='vda' type='file'><target file='/x'>{labels}</target></disk>")


DOCUMENTS = {
    "deep": lambda: "<a>" * MILLION + "</a>" * MILLION,
    "deep-unclosed": lambda: "<a>" * MILLION,
    "deep-crossed": lambda: "<a><b>" * (MILLION // 2) + "</a></b>" * (MILLION // 2),
    "attributes": lambda: "<domainbackup" + numbered(" a#=''", 100_000) + "/>",
    "attributes-same": lambda: "<domainbackup" + " a=''" * 100_000 + "/>",
    "attributes-unquoted": lambda: disks("\n<disk name=vda/>", 200_000),
    "attributes-unended": lambda: disks("<disk name='vda/>", 200_000),
    "attributes-typeset": lambda: disks("<disk name=\u201cvda\u201d/>", 500_000),
    "attributes-unknown": lambda: disks("<disk name='vda' incrementl=''/>", 300_000),
    "namespaces": lambda: "<domainbackup" + numbered(" xmlns:a#='u#'", 4_000) + "/>",
    "bomb": bomb,
    "external-entity": lambda: f"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>{inside('&x;')}",
    "external-dtd": lambda: "<!DOCTYPE domainbackup SYSTEM 'http://127.0.0.1:9/'><domainbackup/>",
    "long-value": lambda: disks(f"<disk name='{'a' * 50 * MILLION}'/>"),
    "long-text": lambda: inside(f"<incremental>{'a' * 50 * MILLION}</incremental>"),
    "long-stray-text": lambda: inside("a" * 50 * MILLION),
    "long-element-name": lambda: inside(f"<{'a' * 50 * MILLION}/>"),
    "long-attribute-name": lambda: inside(f"<disks {'a' * 50 * MILLION}=''/>"),
    "long-near-miss": lambda: disks(f"<disk name='vda' {'incremental' * 100_000}=''/>"),
    "long-white-space": lambda: " " * 75 * MILLION,
    "long-lines": lambda: inside("\n" * 50 * MILLION),
    "equals": lambda: inside("=" * 10 * MILLION),
    "equals-in-tag": lambda: f"<domainbackup {'=' * 10 * MILLION}/>",
    "less-than": lambda: "<" * 10 * MILLION,
    "less-than-blank": lambda: inside("< " * 5 * MILLION),
    "greater-than": lambda: inside(">" * 10 * MILLION),
    "ampersands": lambda: inside("&" * 10 * MILLION),
    "references": lambda: inside("&#1;" * 2 * MILLION),
    "quotes": lambda: "<domainbackup " + "'" * 20 * MILLION + "/>",
    "comments": lambda: inside("<!---->" * 3 * MILLION),
    "comments-unended": lambda: inside("<!--" * 5 * MILLION),
    "comments-hyphens": lambda: inside(f"<!--{'-' * 20 * MILLION}-->"),
    "comments-ours": lambda: inside("<!-- backupxml: allow(x) -->" * 500_000),
    "comments-ours-long": lambda: f"<!-- backupxml: allow({'all,' * 3 * MILLION}all) --><domainbackup/>",
    "cdata-unended": lambda: inside("<![CDATA[" * 3 * MILLION),
    "cdata": lambda: inside(f"<incremental>{'<![CDATA[x]]>' * 2 * MILLION}</incremental>"),
    "instructions": lambda: inside("<?a?>" * 4 * MILLION),
    "instructions-unended": lambda: inside("<?" * 10 * MILLION),
    "doctypes": lambda: "<!DOCTYPE a>" * 2 * MILLION + "<domainbackup/>",
    "tags-closing": lambda: inside("</a>" * 5 * MILLION),
    "tags-crossed": lambda: inside("<a></b>" * 500_000),
    "tags-unclosed": lambda: inside("<a>" * 100 + "<b>" * 500_000),
    "elements": lambda: inside("<x/>" * 10 * MILLION),
    "elements-repeated": lambda: inside("<incremental/>" * MILLION),
    "disks-nameless": lambda: disks("<disk/>", 4 * MILLION),
    "disks-same": lambda: disks("<disk name='vda'/>", 700_000),
    "disks-unknown": lambda: disks(numbered(f"<disk name='{'x' * 50}#'/>", 100_000)),
    "disks-of-domains": lambda: disks("<disk device='disk'><source file='x'/><target dev='vda'/></disk>", 200_000),
    "labels-same": lambda: target("<seclabel model='x' relabel='no'/>" * 300_000),
    "labels": lambda: target(numbered("<seclabel model='x#' relabel='no'/>", 300_000)),
    "nul": lambda: b"\0" * 50 * MILLION,
    "nul-inside": lambda: inside("\0" * 10 * MILLION),
    "encoding-utf16": lambda: disks("<disk name='vda' x=''/>", 100_000).encode("utf-16"),
    "encoding-utf32": lambda: disks("<disk name='vda' x=''/>", 100_000).encode("utf-32"),
    "encoding-declared": lambda: b"<?xml version='1.0' encoding='Shift_JIS'?>"
    + disks("<disk name='vd\u3042' x=''/>", 50_000).encode("shift_jis"),
    "encoding-broken": lambda: b"\xff" * 20 * MILLION,
    "encoding-broken-inside": lambda: b"<domainbackup><disks>" + b"<disk name='\xff' x=''/>" * 100_000,
    "escapes": lambda: disks("<disk name='\x1b[31m\x9b' \x1b]0;x\x07=''/>"),
    "random": lambda: random.Random(1).randbytes(20 * MILLION),
}


def domain(disks, path="/i/#", target="vd#"):
    disk = f"<disk type='file'><driver name='qemu' type='qcow2'/><source file='{path}'/><target dev='{target}' bus='virtio'/></disk>"
    return f"<domain type='kvm'><name>d</name><devices>{numbered(disk, disks)}</devices></domain>"


def unknown_disks(count):
    return disks(numbered("<disk name='vdx#' backup='no'/>", count))


def listed_disks(count, before=""):
    disk = "<disk name='vd#' type='file'><target file='/b/#'/></disk>"
    return inside(f"{before}<disks>{numbered(disk, count)}</disks>")


def checkpoint(name, content=""):
    return f"<domaincheckpoint><name>{name}</name>{content}</domaincheckpoint>"


ALL_DISKS = inside("")
UNCLOSED = "<disks>" * 130_000
REFERENCES = "&#97;" * 60_000
CHECKED = [["check"], ["check", "--format", "json"], ["plan"], ["normalize"], ["check", "--unsafe-fixes", "--diff"]]

# Several documents: the commands, then the options with which each of the other documents is given.
TOGETHER = {
    "unclosed-disks": lambda: ([["check"], ["normalize"]], inside(UNCLOSED), {}),
    "unclosed-disks-domain": lambda: ([["check"], ["plan"]], ALL_DISKS, {"--domain": f"<domain><devices>{UNCLOSED}"}),
    "unclosed-disks-checkpoint": lambda: ([["check"]], ALL_DISKS, {"--checkpoint": f"<domaincheckpoint>{UNCLOSED}"}),
    "unclosed-disks-document": lambda: ([["check"]], f"<domaincheckpoint>{UNCLOSED}", {}),
    "unclosed-disks-existing": lambda: (
        [["check"]],
        ALL_DISKS,
        {"--existing-checkpoint": f"<domaincheckpoint>{UNCLOSED}"},
    ),
    "unended-disks": lambda: ([["check"]], disks("<disk name='vda'>", 600_000), {}),
    "unknown-disks": lambda: (CHECKED, unknown_disks(20_000), {"--domain": domain(20_000)}),
    "unknown-paths": lambda: (
        CHECKED,
        checkpoint("c", "<disks>" + numbered("<disk name='/x#'/>", 20_000) + "</disks>"),
        {"--domain": domain(20_000)},
    ),
    "unknown-disks-fixes": lambda: (
        [["check", "--unsafe-fixes", "--diff"]],
        disks(numbered("<disk name='vd#x' backup='no'/>", 100)),
        {"--domain": domain(50_000)},
    ),
    "inherited-checkpoint": lambda: (
        CHECKED,
        listed_disks(20_000, f"<incremental>{'c' * 50_000}</incremental>"),
        {"--domain": domain(20_000)},
    ),
    "inherited-checkpoint-references": lambda: (
        CHECKED,
        listed_disks(20_000, f"<incremental>{REFERENCES}</incremental>"),
        {"--domain": domain(20_000)},
    ),
    "inherited-checkpoint-missing": lambda: (
        CHECKED[:3],
        listed_disks(1_000, f"<incremental>{'c' * 50_000}</incremental>"),
        {"--domain": domain(1_000), "--existing-checkpoint": "monday\n"},
    ),
    "suffix": lambda: (
        [[*command, "--suffix", "s" * 50_000] for command in CHECKED],
        ALL_DISKS,
        {"--domain": domain(20_000)},
    ),
    "checkpoint-name": lambda: (
        CHECKED,
        ALL_DISKS,
        {"--domain": domain(20_000), "--checkpoint": checkpoint(REFERENCES)},
    ),
    "checkpoint-document": lambda: (CHECKED[:2] + CHECKED[3:4], checkpoint(REFERENCES), {"--domain": domain(20_000)}),
    "names": lambda: ([["check", "--format", "json"]], disks(numbered(f"<disk name='vd{'x' * 1_000}#'/>", 20_000)), {}),
    "names-namespace": lambda: (
        [["check"], ["check", "--format", "json"]],
        f"<domainbackup xmlns:a='{'u' * 20_000}'><disks>{'<a:b/>' * 20_000}</disks></domainbackup>",
        {},
    ),
    "targets-in-help": lambda: (
        CHECKED,
        unknown_disks(20_000),
        {"--domain": domain(12, target=f"vd{'x' * 4_000}#")},
    ),
    "existing-names": lambda: (
        [["check"], ["plan"]],
        ALL_DISKS,
        {"--domain": DOMAIN.read_text(), "--existing-checkpoint": numbered("cp#\n", 5_000_000)},
    ),
    "existing-names-most": lambda: (
        [["check"], ["plan"]],
        inside("<incremental>monday</incremental>"),
        {"--domain": domain(20_000), "--existing-checkpoint": numbered("cp#\n", 1_000_000)},
    ),
    "dropped-comments": lambda: (
        [["normalize", "--check"], ["normalize", "--diff"]],
        inside("<!---->" * 2_500_000),
        {},
    ),
    "diagnostics-of-domain": lambda: (
        [["check"], ["plan"], ["new", "--to", "/b"]],
        ALL_DISKS,
        {"--domain": f"<domain><devices>{'<disk/>' * 500_000}</devices></domain>"},
    ),
    "explained": lambda: ([["explain", "no disk named 'vda' " * 5_000]], None, {}),
}


def limit():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))


def run(arguments, saying=b"", **streams):
    """The failure, or None; and the processor time in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    try:
        ran = subprocess.run([str(argument) for argument in arguments], preexec_fn=limit, timeout=10 * SECONDS, **streams)
    except subprocess.TimeoutExpired:
        return "hangs", 10 * SECONDS
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = (ran.stdout or b"") + (ran.stderr or b"")
    wrong = None
    if ran.returncode not in (0, 1, 2):
        wrong = f"ends with {ran.returncode}: {said[-200:]!r}"
    elif b"panicked" in said:
        wrong = f"panics: {said[-200:]!r}"
    elif saying not in said:
        wrong = f"does not say {saying.decode()!r}: {said[-200:]!r}"
    elif "--diff" not in arguments and any(byte < 32 and byte not in b"\t\n\r" for byte in set(said)):
        wrong = "writes control characters"
    return wrong, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def report(name, results):
    wrong = {way: found for way, (found, _) in results.items() if found}
    slowest = max(results, key=lambda way: results[way][1])
    print(f"{'BAD' if wrong else 'ok ':3} {name:24} {results[slowest][1]:5.2f} s at most ({slowest})", flush=True)
    for way, found in wrong.items():
        print(f"      {way}: {found}")
    return bool(wrong)


def documents(program, folder, wanted):
    for name, make in DOCUMENTS.items():
        if wanted(name):
            document = make()
            file = folder / f"{name}.xml"
            file.write_bytes(document if isinstance(document, bytes) else document.encode())
            yield report(name, {way: run([program, *options, file]) for way, options in WAYS.items()})
            file.unlink()


def together(program, folder, wanted):
    for name, make in TOGETHER.items():
        if not wanted(name):
            continue
        commands, document, others = make()
        place = folder / name
        place.mkdir()
        options = []
        if document is not None:
            (place / "document.xml").write_text(document)
        for option, text in others.items():
            other = place / f"{option[2:]}.xml"
            other.write_text(text)
            options += [option, f"@{other}" if option == "--existing-checkpoint" else other]
        results = {}
        for command in commands:
            file = [] if command[0] == "new" or document is None else [place / "document.xml"]
            results[" ".join(command)[:40]] = run([program, *command, *file, *options])
        yield report(name, results)
        shutil.rmtree(place)


def broken(folder):
    """Every truncation of a good file, and a few thousand with some random bytes."""
    good, chance = BACKUP.read_bytes(), random.Random(1)
    for end in range(len(good)):
        (folder / f"{end}.xml").write_bytes(good[:end])
    for number in range(3_000):
        flipped = bytearray(good)
        for _ in range(chance.randint(1, 8)):
            flipped[chance.randrange(len(good))] = chance.randrange(256)
        (folder / f"flipped-{number}.xml").write_bytes(flipped)
    return sorted(folder.iterdir())


def odd_files(program, folder, wanted):
    """Paths that are not regular files, and output that cannot be written."""
    place = folder / "odd"
    place.mkdir()
    fifo, closed = place / "fifo", os.pipe()
    os.mkfifo(fifo)
    os.close(closed[0])
    shutil.copy(BACKUP, place / "b")
    (place / "broken").mkdir()
    many = broken(place / "broken")
    runs = {
        "odd-null": lambda: run([program, "check", "/dev/null"]),
        "odd-folder": lambda: run([program, "check", place], saying=b"it is a directory"),
        "odd-missing": lambda: run([program, "check", place / "missing"]),
        "odd-endless": lambda: run([program, "check", "/dev/zero"]),
        "odd-full-disk": lambda: run([program, "normalize", BACKUP], stdout=open("/dev/full", "wb")),
        "odd-closed-pipe": lambda: run([program, "normalize", BACKUP], stdout=closed[1]),
        "odd-full-disk-in-place": lambda: on_a_full_disk(program, place),
        "odd-forbidden": lambda: without_permission(program, place),
        "odd-growing": lambda: while_it_grows(program, place / "growing.xml"),
        "odd-arguments": lambda: run([program, "check", *["b"] * 100_000], cwd=place),
        "odd-broken": lambda: run([program, "check", "--format", "concise", *many]),
        "odd-fifo": lambda: through_fifo(program, fifo),
    }
    for name, start in runs.items():
        if wanted(name):
            yield report(name, {"check": start()})


def through_fifo(program, fifo):
    writer = threading.Thread(target=lambda: fifo.write_bytes(BACKUP.read_bytes()), daemon=True)
    writer.start()
    return run([program, "check", fifo])


def on_a_full_disk(program, folder):
    """A nearly full file system of 64 KiB, in its own mount namespace."""
    script = """
        set -e
        mount -t tmpfs -o size=64k none "$2"
        printf "<domainbackup mode='push' ></domainbackup>" > "$2/b.xml"
        cp "$2/b.xml" "$2/before.xml"
        head -c 70000 /dev/zero > "$2/filler" 2>&- || true
        if "$1" normalize --in-place "$2/b.xml"; then exit 99; fi
        cmp "$2/b.xml" "$2/before.xml" || exit 98
        """
    (folder / "full").mkdir()
    shell = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]
    return run([*shell, program, folder / "full"], saying=b"No space left on device")


def without_permission(program, folder):
    """An unreadable file, tested without privileges even if started by root."""
    forbidden = folder / "forbidden.xml"
    shutil.copy(BACKUP, forbidden)
    forbidden.chmod(0)
    return run(["setpriv", "--bounding-set=-all", "--inh-caps=-all", program, "check", forbidden], saying=b"Permission denied")


def while_it_grows(program, file):
    stop = threading.Event()

    def grow():
        with file.open("ab", buffering=0) as growing:
            while not stop.is_set():
                growing.write(b" " * MILLION)
                if growing.tell() > 200 * MILLION:
                    growing.truncate(0)

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        return run([program, "check", file], saying=b"1 error in 1 file")
    finally:
        stop.set()
        writer.join()


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program = pathlib.Path(sys.argv[1]).resolve()
    wanted = lambda name: len(sys.argv) == 2 or name.startswith(tuple(sys.argv[2:]))
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        bad = [result for part in (odd_files, together, documents) for result in part(program, place, wanted)]
    print(f"{len(bad)} tried, {sum(bad)} bad, {time.monotonic() - started:.0f} s")
    return any(bad) or not bad


sys.exit(main())
