"""What advice claims of backups that are accepted, and the other side of each claim."""

from .encryption import LOCKED, LOCKED_RAW, MAKE, luks
from .words import Disk, Scenario, block, checkpoint, covers, disk, empty, image, loop, out, pull, push, qcow2, raw, redefined, scratch, to, to_device, unloop

ONE = (qcow2('vda'),)
TWO = (qcow2('vda'), qcow2('vdb'))
CP1 = (checkpoint('cp1', *covers('vda')),)
CP2 = checkpoint('cp2', *covers('vda'))
FILES = "ls -A /vm | grep -v -e xml -e log"
FILLED = disk('vda', 'qcow2', prepare=(image('/vm/vda.qcow2'), "qemu-io -f qcow2 -c 'write -P 0x41 0 128k' /vm/vda.qcow2"))
READ = "od -An -tx1 -N4"
NODE = "/machine/peripheral/virtio-disk0/virtio-backend"


def header(path='/vm/vda.backup'):
    return (f"qemu-img info {path} | grep -e 'file format' -e 'backing file:'",)


def content(path, kind):
    """The first bytes that a reader of the copy sees."""
    return (f'qemu-img convert -f {kind} -O raw {path} /vm/content && {READ} /vm/content',)


def begin(text, *more):
    """Begins another backup and prints what virsh says."""
    return f"cat >next.xml <<'NEXT'\n{text}NEXT\nvirsh -q backup-begin preflight next.xml {' '.join(more)} 2>&1 >/dev/null | sed 's/^error: //'"


TABLE = [
    # Scratch files.
    Scenario('advice-scratch-after-abort', pull(scratch('vda')), ONE, after=(FILES, 'virsh -q domjobabort preflight >/dev/null; sleep 0.2', FILES)),
    Scenario('advice-scratch-after-destroy', pull(scratch('vda')), ONE, after=(FILES, 'virsh -q destroy preflight >/dev/null', FILES)),
    Scenario('advice-scratch-after-quit', pull(scratch('vda')), ONE,
             after=(FILES, "virsh qemu-monitor-command preflight '{\"execute\":\"quit\"}' >/dev/null; sleep 0.5", FILES)),
    Scenario('advice-scratch-reused', pull(scratch('vda')), ONE, reuse=True, prepare=(image('/vm/vda.scratch'),),
             after=(FILES, 'virsh -q domjobabort preflight >/dev/null; sleep 0.2', FILES)),
    Scenario('advice-scratch-device', pull(to_device('vda', '/vm/target.dev', target='scratch')), ONE,
             prepare=loop('/vm/target.dev', '/vm/target.loop'), clean=(unloop('/vm/target.dev'),), after=('virsh -q domjobabort preflight >/dev/null; sleep 0.2', FILES)),
    Scenario('advice-target-aborted', push(to('vda')), ONE, after=(FILES,)),
    Scenario('advice-target-device', push(to_device('vda', '/vm/target.dev')), ONE,
             prepare=loop('/vm/target.dev', '/vm/target.loop'), clean=(unloop('/vm/target.dev'),)),
    Scenario('advice-target-reused', push(to('vda')), ONE, reuse=True, prepare=(image('/vm/vda.backup'),)),
    Scenario('advice-target-generated', push(), TWO),
    Scenario('advice-target-one-of-two-generated', push(to('vda'), "<disk name='vdb' type='file'/>"), TWO),

    # What an increment looks like.
    *(Scenario(f'advice-increment-{kind}', push(to('vda', kind=kind), incremental='cp1'), (FILLED,), existing=CP1, after=header() + content('/vm/vda.backup', name))
      for kind, name in (('raw', 'raw'), ('qcow2', 'qcow2'), ('qcow', 'qcow'), ('qed', 'qed'), ('vdi', 'vdi'), ('vhd', 'vhdx'), ('ploop', 'parallels'))),
    *(Scenario(f'advice-full-{kind}', push(to('vda', kind=kind)), (FILLED,), existing=CP1, after=header() + content('/vm/vda.backup', name))
      for kind, name in (('raw', 'raw'), ('qcow2', 'qcow2'), ('qcow', 'qcow'), ('qed', 'qed'))),
    *(Scenario(f'advice-increment-{kind}-reused', push(to('vda', kind=kind), incremental='cp1'), (FILLED,), existing=CP1, reuse=True,
               prepare=(image('/vm/vda.backup', name), f"qemu-io -f {name} -c 'write -P 0x42 0 128k' /vm/vda.backup"), after=header() + content('/vm/vda.backup', name))
      for kind, name in (('raw', 'raw'), ('qcow2', 'qcow2'), ('vdi', 'vdi'))),
    *(Scenario(f'advice-increment-{kind}-device', push(to_device('vda', '/vm/target.dev', kind), incremental='cp1'), (FILLED,), existing=CP1,
               prepare=(*loop('/vm/target.dev', '/vm/target.loop', '1M' if kind == 'raw' else '4M'), 'tr "\\0" B </dev/zero | head -c 1M | dd of=/vm/target.dev conv=notrunc'),
               clean=(unloop('/vm/target.dev'),), after=header('/vm/target.dev') + content('/vm/target.dev', kind)) for kind in ('raw', 'qcow2')),
    Scenario('advice-increment-raw-device-reused', push(to_device('vda', '/vm/target.dev', 'raw'), incremental='cp1'), (FILLED,), existing=CP1, reuse=True,
             prepare=(*loop('/vm/target.dev', '/vm/target.loop', '1M'), 'tr "\\0" B </dev/zero | head -c 1M | dd of=/vm/target.dev conv=notrunc'),
             clean=(unloop('/vm/target.dev'),), after=content('/vm/target.dev', 'raw')),
    Scenario('advice-increment-generated', push(incremental='cp1'), (FILLED,), existing=CP1, checkpoint=CP2, after=header('/vm/vda.qcow2.cp2')),
    Scenario('advice-increment-pull', pull(scratch('vda'), incremental='cp1'), (FILLED,), existing=CP1, after=("qemu-img info -U /vm/vda.scratch | grep -e 'backing file:'",)),

    # Copies of encrypted disks.
    *(Scenario(f'advice-encrypted-disk-{name}', push(to('vda', kind=kind, inside=inside)), (locked,), host=bool(inside), after=("grep -c AAAAAAAAAAAAAAAA /vm/vda.backup",))
      for name, locked, kind, inside in (('qcow2', LOCKED, 'qcow2', ''), ('raw', LOCKED, 'raw', ''), ('raw-disk', LOCKED_RAW, 'qcow2', ''), ('encrypted', LOCKED, 'qcow2', luks()))),
    Scenario('advice-encrypted-disk-generated', push(), (LOCKED,), checkpoint=CP2, after=("grep -c AAAAAAAAAAAAAAAA /vm/vda.qcow2.cp2",)),
    Scenario('advice-encrypted-disk-pull', pull(scratch('vda')), (LOCKED,),
             after=(f"virsh qemu-monitor-command --hmp preflight 'qemu-io -d {NODE} \"write -P 0x42 0 64k\"' >/dev/null", "grep -c AAAAAAAAAAAAAAAA /vm/vda.scratch",
                    "grep -c BBBBBBBBBBBBBBBB /vm/vda.qcow2")),
    Scenario('advice-encrypted-disk-pull-generated', pull(), (LOCKED,), checkpoint=CP2),

    # Bitmaps of exports.
    Scenario('advice-bitmap-of-full', pull(scratch('vda', rest=" exportbitmap='changes'")), ONE, after=("qemu-nbd --list --socket /vm/nbd | grep -A9 'available meta'",)),
    Scenario('advice-bitmap-of-full-written', pull(scratch('vda', rest=" backupmode='full' exportbitmap='changes'"), incremental='cp1'), ONE, existing=CP1,
             after=("qemu-nbd --list --socket /vm/nbd | grep -A9 'available meta'",)),
    Scenario('advice-bitmap-of-increment', pull(scratch('vda', rest=" exportbitmap='changes'"), incremental='cp1'), ONE, existing=CP1,
             after=("qemu-nbd --list --socket /vm/nbd | grep -A9 'available meta'",)),
    Scenario('advice-bitmap-default', pull(scratch('vda'), incremental='cp1'), ONE, existing=CP1, after=("qemu-nbd --list --socket /vm/nbd | grep -A9 'available meta'",)),

    # An <incremental> that no disk uses.
    Scenario('advice-unused-incremental', push(to('vda', rest=" backupmode='full'"), incremental='cp1'), ONE, existing=CP1, after=header()),
    Scenario('advice-unused-incremental-unknown', push(to('vda', rest=" backupmode='full'"), incremental='cp9'), ONE, existing=CP1),
    Scenario('advice-unused-incremental-none-existing', push(to('vda', rest=" backupmode='full'"), incremental='cp9'), ONE),
    Scenario('advice-unused-incremental-spaced', push(to('vda', rest=" backupmode='full'"), incremental=' cp1 '), ONE, existing=CP1),
    Scenario('advice-unused-incremental-own', push(to('vda', rest=" incremental='cp1'"), incremental='cp9'), ONE, existing=CP1),
    Scenario('advice-unused-incremental-of-two', push(to('vda', rest=" incremental='cp1'"), to('vdb', rest=" backupmode='full'"), incremental='cp9'), TWO, existing=CP1),
    Scenario('advice-used-incremental-of-one', push(to('vda'), to('vdb', rest=" backupmode='full'"), incremental='cp1'), TWO, existing=CP1),
    Scenario('advice-unused-incremental-pull', pull(scratch('vda', rest=" backupmode='full'"), incremental='cp9'), ONE),

    # Disks that the checkpoint made along covers, and others.
    Scenario('advice-not-checkpointed', push(to('vda'), to('vdb')), TWO, checkpoint=CP2, after=(begin(push(to('vdb', '/vm/next'), incremental='cp2')),)),
    Scenario('advice-not-checkpointed-said', push(to('vda'), to('vdb')), TWO, checkpoint=checkpoint('cp2', *covers('vda', no=('vdb',))),
             after=(begin(push(to('vdb', '/vm/next'), incremental='cp2')),)),
    Scenario('advice-not-checkpointed-full', push(to('vda'), to('vdb', rest=" backupmode='full'"), incremental='cp1'), TWO, checkpoint=CP2, existing=CP1),
    Scenario('advice-not-checkpointed-raw', push(to('vda'), to('vdb')), (qcow2('vda'), raw('vdb')), checkpoint=CP2,
             after=(begin(push(to('vdb', '/vm/next'), incremental='cp2')),)),
    Scenario('advice-not-checkpointed-raw-said', push(to('vda'), to('vdb', rest=" backupmode='full'")), (qcow2('vda'), raw('vdb')),
             checkpoint=checkpoint('cp2', *covers('vda', no=('vdb',)))),
    Scenario('advice-not-checkpointed-read-only', push(to('vda'), to('vdb')), (qcow2('vda'), raw('vdb', inside='<readonly/>')), checkpoint=checkpoint('cp2'),
             after=(begin(push(to('vdb', '/vm/next'), incremental='cp2')),)),
    Scenario('advice-not-checkpointed-cdrom', push(to('vda'), to('hdc')), (qcow2('vda'), disk('hdc', 'raw', bus='ide', device='cdrom')), checkpoint=checkpoint('cp2')),
    Scenario('advice-not-backed-up', push(to('vda')), TWO, checkpoint=checkpoint('cp2', *covers('vda', 'vdb'))),
    Scenario('advice-not-backed-up-left-out', push(to('vda'), out('vdb')), TWO, checkpoint=checkpoint('cp2', *covers('vda', 'vdb'))),
    Scenario('advice-checkpoint-even', push(to('vda'), to('vdb')), TWO, checkpoint=checkpoint('cp2', *covers('vda', 'vdb')),
             after=(begin(push(to('vdb', '/vm/next'), incremental='cp2')),)),
    Scenario('advice-checkpoint-covers-raw-too', push(to('vda')), (qcow2('vda'), raw('vdb')), 'checkpoint/unsupported-format', checkpoint=checkpoint('cp2', *covers('vda', 'vdb'))),

    # What libvirt drops.
    Scenario('advice-dropped-of-left-out', push(to('vda'), "<disk name='vdb' backup='no' backupmode='incremental' incremental='cp9'/>"), TWO, after=('virsh backup-dumpxml preflight',)),
    Scenario('advice-empty-incremental', push(to('vda'), incremental=''), ONE, after=header()),
    Scenario('advice-block-becomes-file', push("<disk name='vda' type='block'/>"), ONE, checkpoint=CP2, after=(FILES,)),
    Scenario('advice-read-only-left-out', push(to('vda')), (qcow2('vda'), raw('vdb', inside='<readonly/>'), empty())),
    Scenario('advice-transient-left-out', push(to('vda')), (qcow2('vda'), qcow2('vdb', inside='<transient/>'))),

    # Servers.
    *(Scenario(f'advice-server-{name.replace(":", "-")}', pull(scratch('vda'), server=f"<server name='{name}' port='10809'/>"), ONE, host=True,
               after=("ss -ltn | grep ':10809' | awk '{print $4}'",))
      for name in ('LOCALHOST', 'localhost', 'localhost.', 'ip6-localhost', '127.0.0.2', '127.1', '::ffff:127.0.0.1', '::1', '0:0:0:0:0:0:0:1', '0.0.0.0', '::', '::ffff:0.0.0.0')),
]
