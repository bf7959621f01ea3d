"""Checkpoints that a backup starts from."""

from .words import Scenario, block, checkpoint, covers, disk, empty, image, out, pull, push, qcow2, raw, scratch, to

TWO = (qcow2('vda'), qcow2('vdb'))
MIXED = (qcow2('vda'), raw('vdb'))
MISSING = 'checkpoint/no-such-checkpoint'
NAME = 'checkpoint/impossible-name'
UNCOVERED = 'checkpoint/disk-not-covered'
BOTH = (checkpoint('cp1', *covers('vda', 'vdb')),)
ONLY_A = (checkpoint('cp1', *covers('vda', no=('vdb',))),)
THREE = tuple(checkpoint(f'cp{n}', *covers('vda', 'vdb')) for n in (1, 2, 3))
GAP = (checkpoint('cp1', *covers('vda', 'vdb')), checkpoint('cp2', *covers('vda', no=('vdb',))), checkpoint('cp3', *covers('vda', 'vdb')))
LATE = (checkpoint('cp1', *covers('vda', no=('vdb',))), checkpoint('cp2', *covers('vda', 'vdb')))
STOPPED_COVERING = (checkpoint('cp1', *covers('vda', 'vdb')), checkpoint('cp2', *covers('vda', no=('vdb',))))
A = (to('vda'), out('vdb'))


def own(name, cp, **more):
    return to(name, rest=f" incremental='{cp}'", **more)


TABLE = [
    Scenario('from-unknown', push(*A, incremental='cp9'), TWO, MISSING, existing=BOTH),
    Scenario('from-unknown-none-existing', push(*A, incremental='cp9'), TWO, MISSING),
    Scenario('from-known', push(*A, incremental='cp1'), TWO, existing=BOTH),
    Scenario('from-known-pull', pull(scratch('vda'), incremental='cp1'), TWO, existing=BOTH),
    Scenario('from-known-full-dump', push(*A, incremental='cp1'), TWO, existing=BOTH, full_dumps=True),
    Scenario('from-known-all-generated', push(incremental='cp1'), TWO, existing=BOTH),
    Scenario('from-unknown-pull', pull(scratch('vda'), incremental='cp9'), TWO, MISSING, existing=BOTH),
    Scenario('from-unknown-not-listed', push(incremental='cp9'), TWO, MISSING, existing=BOTH),
    Scenario('from-other-case', push(*A, incremental='CP1'), TWO, MISSING, existing=BOTH),
    Scenario('from-unknown-of-disk', push(own('vda', 'cp9'), out('vdb')), TWO, MISSING, existing=BOTH),
    Scenario('from-known-of-disk', push(own('vda', 'cp1'), out('vdb')), TWO, existing=BOTH),
    Scenario('from-known-of-disk-unknown-of-backup', push(own('vda', 'cp1'), out('vdb'), incremental='cp9'), TWO, existing=BOTH),
    Scenario('from-unknown-of-disk-known-of-backup', push(own('vda', 'cp9'), out('vdb'), incremental='cp1'), TWO, MISSING, existing=BOTH),
    Scenario('from-unknown-of-second-disk', push(to('vda'), own('vdb', 'cp9'), incremental='cp1'), TWO, MISSING, existing=BOTH),
    Scenario('from-unknown-but-all-full', push(to('vda', rest=" backupmode='full'"), incremental='cp9'), TWO, existing=BOTH),
    Scenario('from-unknown-of-a-left-out-disk', push(to('vda'), "<disk name='vdb' backup='no' incremental='cp9'/>"), TWO, existing=BOTH),
    Scenario('from-bad-name-of-a-left-out-disk', push(to('vda'), "<disk name='vdb' backup='no' incremental='../foo'/>"), TWO, existing=BOTH),
    Scenario('from-unknown-left-out-by-backup', push(out('vda'), out('vdb'), incremental='cp9'), TWO, 'qemu/no-disks', existing=BOTH),
    Scenario('from-empty', push(*A, incremental=''), TWO, existing=BOTH),
    Scenario('from-empty-of-disk', push(own('vda', ''), out('vdb')), TWO, NAME, existing=BOTH),
    Scenario('from-empty-of-disk-known-of-backup', push(own('vda', ''), out('vdb'), incremental='cp1'), TWO, NAME, existing=BOTH),
    Scenario('from-parent-folder', push(*A, incremental='../foo'), TWO, NAME, existing=BOTH),
    Scenario('from-parent-folder-of-disk', push(own('vda', '../foo'), out('vdb')), TWO, NAME, existing=BOTH),
    Scenario('from-space', push(*A, incremental='cp 1'), TWO, NAME, existing=BOTH),
    Scenario('from-space-around', push(*A, incremental=' cp1 '), TWO, NAME, existing=BOTH),
    Scenario('from-line-feed-around', push(*A, incremental='\ncp1\n'), TWO, NAME, existing=BOTH),
    Scenario('from-space-alone', push(*A, incremental=' '), TWO, NAME, existing=BOTH),
    Scenario('from-space-around-of-disk', push(own('vda', ' cp1'), out('vdb')), TWO, NAME, existing=BOTH),
    Scenario('from-dot', push(*A, incremental='.cp1'), TWO, NAME, existing=BOTH),
    Scenario('from-unicode', push(*A, incremental='é'), TWO, NAME, existing=BOTH),
    Scenario('from-number', push(*A, incremental='1700000000'), TWO, existing=(checkpoint('1700000000', *covers('vda')),)),
    Scenario('from-dash', push(*A, incremental='-'), TWO, existing=(checkpoint('-', *covers('vda')),)),
    Scenario('from-uncovering', push(to('vda'), to('vdb'), incremental='cp1'), TWO, UNCOVERED, existing=ONLY_A),
    Scenario('from-uncovering-pull', pull(scratch('vda'), scratch('vdb'), incremental='cp1'), TWO, UNCOVERED, existing=ONLY_A),
    Scenario('from-uncovering-of-disk', push(own('vdb', 'cp1')), TWO, UNCOVERED, existing=ONLY_A),
    Scenario('from-uncovering-not-listed', push(incremental='cp1'), TWO, UNCOVERED, existing=ONLY_A),
    Scenario('from-uncovering-but-full', push(to('vda'), to('vdb', rest=" backupmode='full'"), incremental='cp1'), TWO, existing=ONLY_A),
    Scenario('from-uncovering-but-left-out', push(to('vda'), out('vdb'), incremental='cp1'), TWO, existing=ONLY_A),
    Scenario('from-covering-all-by-default', push(to('vda'), to('vdb'), incremental='cp1'), TWO, existing=(checkpoint('cp1'),)),
    Scenario('from-covering-listed-only', push(to('vda'), to('vdb'), incremental='cp1'), TWO, UNCOVERED,
             existing=(checkpoint('cp1', *covers('vda')),)),
    Scenario('from-raw-disk', push(to('vdb'), incremental='cp1'), MIXED, UNCOVERED, existing=ONLY_A),
    Scenario('from-raw-disk-full', push(to('vda'), to('vdb', rest=" backupmode='full'"), incremental='cp1'), MIXED, existing=ONLY_A),
    Scenario('from-raw-disk-not-listed', push(incremental='cp1'), MIXED, UNCOVERED, existing=ONLY_A),
    Scenario('from-first-of-three', push(*A, incremental='cp1'), TWO, existing=THREE),
    Scenario('from-second-of-three', push(*A, incremental='cp2'), TWO, existing=THREE),
    Scenario('from-third-of-three', push(*A, incremental='cp3'), TWO, existing=THREE),
    Scenario('from-first-of-three-with-checkpoint', push(*A, incremental='cp1'), TWO, existing=THREE, checkpoint=checkpoint('cp4', *covers('vda', 'vdb'))),
    Scenario('from-two-of-three', push(own('vda', 'cp1'), own('vdb', 'cp3')), TWO, existing=THREE),
    Scenario('from-before-a-gap', push(to('vdb'), incremental='cp1'), TWO, existing=GAP),
    Scenario('from-in-a-gap', push(to('vdb'), incremental='cp2'), TWO, UNCOVERED, existing=GAP),
    Scenario('from-behind-a-gap', push(to('vdb'), incremental='cp3'), TWO, existing=GAP),
    Scenario('from-before-a-gap-of-the-other', push(to('vda'), incremental='cp1'), TWO, existing=GAP),
    Scenario('from-before-a-gap-at-the-end', push(to('vdb'), incremental='cp1'), TWO, existing=STOPPED_COVERING),
    Scenario('from-before-cover', push(to('vdb'), incremental='cp1'), TWO, UNCOVERED, existing=LATE),
    Scenario('from-after-cover', push(to('vdb'), incremental='cp2'), TWO, existing=LATE),
    Scenario('from-first-bitmap-lost', push(*A, incremental='cp1'), TWO, host=True, existing=BOTH,
             before=('virsh qemu-monitor-command --hmp preflight info block', 'virsh qemu-monitor-command preflight \'{"execute":"block-dirty-bitmap-remove","arguments":'
                     '{"node":"libvirt-2-format","name":"cp1"}}\' | grep return')),
    Scenario('from-deleted', push(*A, incremental='cp1'), TWO, MISSING, existing=THREE, before=('virsh checkpoint-delete preflight cp1',)),
    Scenario('from-before-deleted', push(*A, incremental='cp1'), TWO, existing=THREE, before=('virsh checkpoint-delete preflight cp2',)),
    Scenario('from-into-raw', push(to('vda', kind='raw'), incremental='cp1'), TWO, existing=BOTH),
    Scenario('from-of-a-device', push(to('vda'), incremental='cp1'), (block('vda'),), existing=(checkpoint('cp1', *covers('vda')),)),
    Scenario('from-of-a-chain', push(to('vda'), incremental='cp1'), (disk('vda', 'qcow2', prepare=(
        image('/vm/base.qcow2'), image('/vm/vda.qcow2', options='-b /vm/base.qcow2 -F qcow2', size=''))),), existing=(checkpoint('cp1', *covers('vda')),)),
    Scenario('from-read-only-disk', push(to('vdb'), incremental='cp1'), (qcow2('vda'), qcow2('vdb', inside='<readonly/>')), UNCOVERED,
             existing=(checkpoint('cp1', *covers('vda')),)),
    Scenario('from-reused', push(*A, incremental='cp1'), TWO, existing=BOTH, reuse=True, prepare=(image('/vm/vda.backup'),)),
    Scenario('from-into-vmdk', push(to('vda', kind='vmdk'), incremental='cp1'), TWO, 'qemu/unsupported-format', existing=BOTH),
    Scenario('from-into-vmdk-reused', push(to('vda', kind='vmdk'), incremental='cp1'), TWO, existing=BOTH, reuse=True,
             prepare=(image('/vm/vda.backup', 'vmdk'),)),
    Scenario('from-into-vhd', push(to('vda', kind='vhd'), incremental='cp1'), TWO, existing=BOTH),
    Scenario('from-after-snapshot', push(to('vda', rest=" incremental='cp1'")), (qcow2('vda'),), host=True, existing=(checkpoint('cp1', *covers('vda')),),
             before=('virsh snapshot-create-as preflight --disk-only --no-metadata',)),
    Scenario('from-raw-disk-pull', pull(scratch('vdb'), incremental='cp1'), MIXED, UNCOVERED, existing=ONLY_A),
    Scenario('from-covering-nothing', push(to('vda'), incremental='cp1'), TWO, UNCOVERED, existing=(checkpoint('cp1', *covers(no=('vda', 'vdb'))),)),
    Scenario('from-cdrom', push(to('hdc'), incremental='cp1'), (qcow2('vda'), disk('hdc', 'raw', bus='ide', device='cdrom')), UNCOVERED,
             existing=(checkpoint('cp1', *covers('vda')),)),
    Scenario('from-beside-empty-cdrom', push(incremental='cp1'), (qcow2('vda'), empty()), existing=(checkpoint('cp1', *covers('vda')),)),
    Scenario('from-vdi-disk', push(to('vda'), incremental='cp1'), (disk('vda', 'vdi'), qcow2('vdb')), UNCOVERED, existing=(checkpoint('cp1', *covers('vdb')),)),
    Scenario('from-known-full-dumps-of-three', push(to('vda'), out('vdb'), incremental='cp2'), TWO, existing=THREE, full_dumps=True),
    Scenario('from-uncovering-full-dump', push(to('vda'), to('vdb'), incremental='cp1'), TWO, UNCOVERED, existing=ONLY_A, full_dumps=True),
]
