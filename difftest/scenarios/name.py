"""Names: of exports, export bitmaps, sockets, and generated files."""

from .words import Scenario, checkpoint, covers, out, pull, push, qcow2, scratch, to

ONE = (qcow2('vda'),)
TWO = (qcow2('vda'), qcow2('vdb'))
EXPORT = 'qemu/duplicate-export'
LONG_EXPORT = 'qemu/export-name-length'
BITMAP = 'qemu/export-bitmap-name'
SOCKET = 'qemu/socket-path-length'
NAME = 'qemu/file-name-length'
CP1 = (checkpoint('cp1', *covers('vda')),)
CP1_TWO = (checkpoint('cp1', *covers('vda', 'vdb')),)


def export(name, exportname=None, bitmap=None, rest=''):
    if exportname is not None:
        rest += f" exportname='{exportname}'"
    if bitmap is not None:
        rest += f" exportbitmap='{bitmap}'"
    return scratch(name, rest=rest)


def socket(length):
    return f"<server transport='unix' socket='{'/vm/'.ljust(length, 's')}'/>"


def bitmap(name, text, existing=CP1, disks=ONE, rule=None, rest=" incremental='cp1'", **more):
    return Scenario(name, pull(export('vda', bitmap=text, rest=rest)), disks, rule, existing=existing, **more)


def deep(length):
    """A path of so many bytes to /vm/f."""
    return '/vm/' + './' * ((length - 5) // 2) + ('f' if length % 2 else 'ff')


TABLE = [
    Scenario('export-own-names', pull(export('vda', 'a'), export('vdb', 'b')), TWO),
    Scenario('export-same-names', pull(export('vda', 'a'), export('vdb', 'a')), TWO, EXPORT),
    Scenario('export-names-in-two-cases', pull(export('vda', 'a'), export('vdb', 'A')), TWO),
    Scenario('export-name-is-the-others-default', pull(export('vda', 'vdb'), export('vdb')), TWO, EXPORT),
    Scenario('export-name-is-an-earlier-default', pull(export('vda'), export('vdb', 'vda')), TWO, EXPORT),
    Scenario('export-names-swapped', pull(export('vda', 'vdb'), export('vdb', 'vda')), TWO),
    Scenario('export-name-is-own-default', pull(export('vda', 'vda'), export('vdb')), TWO),
    Scenario('export-name-of-a-left-out-disk', pull(export('vda', 'vdb'), out('vdb')), TWO),
    Scenario('export-name-kept-by-a-left-out-disk', pull(export('vda', 'a'), "<disk name='vdb' backup='no' exportname='a'/>"), TWO),
    Scenario('export-name-empty', pull(export('vda', '')), ONE),
    Scenario('export-names-empty', pull(export('vda', ''), export('vdb', '')), TWO, EXPORT),
    Scenario('export-name-spaces', pull(export('vda', ' a b ')), ONE),
    Scenario('export-names-differ-in-space', pull(export('vda', 'a'), export('vdb', 'a ')), TWO),
    Scenario('export-name-line-feed', pull(export('vda', 'a&#10;b')), ONE),
    Scenario('export-name-unicode', pull(export('vda', 'é/日本')), ONE),
    Scenario('export-name-4096', pull(export('vda', 'a' * 4096)), ONE),
    Scenario('export-name-4097', pull(export('vda', 'a' * 4097)), ONE, LONG_EXPORT),
    Scenario('export-name-4096-in-two-byte-letters', pull(export('vda', 'é' * 2048)), ONE),
    Scenario('export-name-4098-in-two-byte-letters', pull(export('vda', 'é' * 2049)), ONE, LONG_EXPORT),
    Scenario('export-name-long-of-a-left-out-disk', pull(export('vda'), f"<disk name='vdb' backup='no' exportname='{'a' * 4097}'/>"), TWO),

    bitmap('bitmap-own-name', 'changes'),
    bitmap('bitmap-default-name', None),
    bitmap('bitmap-empty', '', rule=BITMAP),
    bitmap('bitmap-space', ' '),
    bitmap('bitmap-1023', 'b' * 1023),
    bitmap('bitmap-1024', 'b' * 1024, rule=BITMAP),
    bitmap('bitmap-1022-in-two-byte-letters', 'é' * 511),
    bitmap('bitmap-1024-in-two-byte-letters', 'é' * 512, rule=BITMAP),
    bitmap('bitmap-named-as-the-checkpoint', 'cp1'),
    bitmap('bitmap-named-as-the-new-checkpoint', 'cp2', checkpoint=checkpoint('cp2', *covers('vda'))),
    bitmap('bitmap-default-name-is-a-checkpoint', None, existing=(checkpoint('backup-vda', *covers('vda')),), rest=" incremental='backup-vda'"),
    bitmap('bitmap-of-a-full-disk', 'changes', rest=" backupmode='full'"),
    bitmap('bitmap-empty-of-a-full-disk', '', rest=''),
    bitmap('bitmap-long-of-a-full-disk', 'b' * 1024, rest=''),
    Scenario('bitmap-same-for-two', pull(export('vda', bitmap='b'), export('vdb', bitmap='b'), incremental='cp1'), TWO, existing=CP1_TWO),
    Scenario('bitmap-is-the-others-default', pull(export('vda', bitmap='backup-vdb'), export('vdb'), incremental='cp1'), TWO, existing=CP1_TWO),
    Scenario('bitmap-with-empty-incremental', pull(export('vda', bitmap=''), incremental=''), ONE),

    Scenario('socket-107', pull(server=socket(107)), ONE),
    Scenario('socket-108', pull(server=socket(108)), ONE),
    Scenario('socket-109', pull(server=socket(109)), ONE, SOCKET),
    Scenario('socket-107-in-two-byte-letters', pull(server=f"<server transport='unix' socket='/vm/s{'é' * 51}'/>"), ONE),
    Scenario('socket-108-in-two-byte-letters', pull(server=f"<server transport='unix' socket='/vm/{'é' * 52}'/>"), ONE),
    Scenario('socket-109-in-two-byte-letters', pull(server=f"<server transport='unix' socket='/vm/s{'é' * 52}'/>"), ONE, SOCKET),
    Scenario('socket-exists', pull(server="<server transport='unix' socket='/vm/s'/>"), ONE, host=True, prepare=('touch /vm/s',)),
    Scenario('socket-is-a-folder', pull(server="<server transport='unix' socket='/vm/s'/>"), ONE, host=True, prepare=('mkdir /vm/s',)),
    Scenario('socket-in-missing-folder', pull(server="<server transport='unix' socket='/vm/none/s'/>"), ONE, host=True),
    Scenario('socket-is-the-scratch', pull(scratch('vda', '/vm/s'), server="<server transport='unix' socket='/vm/s'/>"), ONE),
    Scenario('socket-is-the-image', pull(scratch('vda'), server="<server transport='unix' socket='/vm/vda.qcow2'/>"), ONE),
    Scenario('socket-is-slash', pull(server="<server transport='unix' socket='/'/>"), ONE, 'schema/invalid-path'),

    Scenario('file-name-255', push(to('vda', '/vm/' + 'f' * 255)), ONE),
    Scenario('file-name-256', push(to('vda', '/vm/' + 'f' * 256)), ONE, NAME),
    Scenario('file-name-256-reused', push(to('vda', '/vm/' + 'f' * 256)), ONE, NAME, reuse=True),
    Scenario('file-name-254-in-two-byte-letters', push(to('vda', '/vm/' + 'é' * 127)), ONE),
    Scenario('file-name-256-in-two-byte-letters', push(to('vda', '/vm/' + 'é' * 128)), ONE, NAME),
    Scenario('folder-name-256', push(to('vda', f"/vm/{'f' * 256}/x")), ONE, NAME),
    Scenario('scratch-name-256', pull(scratch('vda', '/vm/' + 'f' * 256)), ONE, NAME),
    Scenario('generated-name-255', push(), (qcow2('vda', path='/vm/' + 'f' * 251),), checkpoint=checkpoint('cp1', *covers('vda'))),
    Scenario('generated-name-256', push(), (qcow2('vda', path='/vm/' + 'f' * 252),), NAME, checkpoint=checkpoint('cp1', *covers('vda'))),
    Scenario('generated-name-256-pull', pull(), (qcow2('vda', path='/vm/' + 'f' * 252),), NAME, checkpoint=checkpoint('cp1', *covers('vda'))),
    Scenario('generated-name-255-by-time', push(), (qcow2('vda', path='/vm/' + 'f' * 244),)),
    Scenario('generated-name-256-by-time', push(), (qcow2('vda', path='/vm/' + 'f' * 245),), NAME),
    Scenario('generated-name-long-checkpoint', push(), ONE, NAME, checkpoint=checkpoint('c' * 246, *covers('vda'))),
    Scenario('generated-name-shorter-checkpoint', push(), ONE, checkpoint=checkpoint('c' * 245, *covers('vda'))),
    *(Scenario(f'path-{length}', push(to('vda', deep(length))), ONE, NAME if length > 4095 else None)
      for length in (1023, 1024, 1025, 4094, 4095, 4096, 4097)),
    *(Scenario(f'path-{length}-raw', push(to('vda', deep(length), 'raw')), ONE, NAME if length > 4095 else None) for length in (1024, 4095, 4096)),
    Scenario('folder-name-256-cancelled', push(to('vda', f"/vm/{'f' * 256}/../x")), ONE, NAME),
    Scenario('socket-is-the-scratch-spelt-otherwise', pull(scratch('vda', '/vm/s'), server="<server transport='unix' socket='/vm//s'/>"), ONE),
    Scenario('socket-is-the-generated-scratch', pull(server="<server transport='unix' socket='/vm/vda.qcow2.cp1'/>"), ONE, checkpoint=CP1[0]),
    Scenario('socket-ends-in-slash', pull(server="<server transport='unix' socket='/vm/s/'/>"), ONE, 'qemu/directory-destination'),
    Scenario('socket-ends-in-dot', pull(server="<server transport='unix' socket='/vm/s/.'/>"), ONE, 'qemu/directory-destination'),
    Scenario('socket-ends-in-dot-dot', pull(server="<server transport='unix' socket='/vm/..'/>"), ONE, 'qemu/directory-destination'),
    Scenario('socket-with-spaces', pull(server="<server transport='unix' socket='/vm/a, b=c'/>"), ONE),
    Scenario('socket-109-in-three-byte-letters', pull(server=f"<server transport='unix' socket='/vm/{'日' * 35}'/>"), ONE, SOCKET),
]
