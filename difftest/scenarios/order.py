"""Two mistakes at once: which one libvirt reports."""

from .words import checkpoint, covers, empty, out, pull, push, qcow2, raw, Scenario, scratch, to

TWO = (qcow2('vda'), qcow2('vdb'))
MIXED = (qcow2('vda'), raw('vdb'), empty())
TRANSIENT = (qcow2('vda', inside='<transient/>'), qcow2('vdb'))
CP1 = (checkpoint('cp1', *covers('vda')),)
UNKNOWN = 'align/no-such-disk'


def own(name, cp):
    return to(name, rest=f" incremental='{cp}'")


TABLE = [
    Scenario('both-backup-and-checkpoint-malformed', push("<disk name='vda' type='fil'/>"), TWO, 'schema/unknown-value', checkpoint=checkpoint('../x')),
    Scenario('both-backup-unknown-disk-and-checkpoint-malformed', push(to('vdz')), TWO, 'checkpoint/invalid-name', checkpoint=checkpoint('../x')),
    Scenario('both-unknown-disks', push(to('vdy')), TWO, UNKNOWN, checkpoint=checkpoint('cp1', *covers('vdz'))),
    Scenario('both-no-media-and-checkpoint-twice', push(to('hdc')), MIXED, 'align/no-media', checkpoint=checkpoint('cp1', *covers('vda', 'vda'))),
    Scenario('both-none-taken-and-checkpoint-raw', push(out('vda')), MIXED, 'checkpoint/unsupported-format', checkpoint=checkpoint('cp1')),
    Scenario('both-none-taken-and-checkpoint-exists', push(out('vda')), TWO, 'checkpoint/name-exists', checkpoint=CP1[0], existing=CP1),
    Scenario('both-raw-and-from-unknown', push(to('vda'), incremental='cp9'), MIXED, 'checkpoint/unsupported-format', checkpoint=checkpoint('cp1')),
    Scenario('both-exists-and-from-unknown', push(to('vda'), incremental='cp9'), TWO, 'checkpoint/name-exists', checkpoint=CP1[0], existing=CP1),
    Scenario('both-exists-and-raw', push(to('vda')), MIXED, 'checkpoint/unsupported-format', checkpoint=checkpoint('cp1'), existing=CP1),
    Scenario('both-exists-and-unknown-checkpoint-disk', push(to('vda')), MIXED, 'checkpoint/no-such-disk', checkpoint=checkpoint('cp1', *covers('vdz')), existing=CP1),
    Scenario('both-transient-and-from-unknown', push(own('vda', 'cp9'), to('vdb')), TRANSIENT, 'qemu/transient-disk'),
    Scenario('both-from-unknown-and-transient-later', push(own('vdb', 'cp9'), to('vda')), TRANSIENT, 'checkpoint/no-such-checkpoint'),
    Scenario('both-uncovered-and-from-unknown-later', push(own('vdb', 'cp1'), own('vda', 'cp9')), TWO, 'checkpoint/disk-not-covered', existing=CP1),
    Scenario('both-from-unknown-and-uncovered-later', push(own('vda', 'cp9'), own('vdb', 'cp1')), TWO, 'checkpoint/no-such-checkpoint', existing=CP1),
    Scenario('both-iso-and-from-unknown-later', push(to('vda', kind='iso'), own('vdb', 'cp9')), TWO, 'qemu/unsupported-format'),
    Scenario('both-iso-and-own-image-later', push(to('vda', kind='iso'), to('vdb', '/vm/vdb.qcow2')), TWO, 'qemu/unsupported-format'),
    Scenario('both-own-image-and-iso-later', push(to('vda', '/vm/vda.qcow2'), to('vdb', kind='iso')), TWO, 'qemu/unsupported-format'),
    Scenario('both-iso-and-from-unknown', push(to('vda', kind='iso'), incremental='cp9'), TWO, 'qemu/unsupported-format'),
    Scenario('both-iso-and-transient', push(to('vda', kind='iso')), TRANSIENT, 'qemu/transient-disk'),
    Scenario('both-iso-and-checkpoint-exists', push(to('vda', kind='iso')), TWO, 'checkpoint/name-exists', checkpoint=CP1[0], existing=CP1),
    Scenario('both-iso-and-own-image', push(to('vda', '/vm/vda.qcow2', 'iso')), TWO, 'qemu/unsupported-format'),
    Scenario('both-fat-and-own-image', push(to('vda', '/vm/vda.qcow2', 'fat')), TWO, 'qemu/unsupported-format'),
    Scenario('both-bochs-and-own-image', push(to('vda', '/vm/vda.qcow2', 'bochs')), TWO, 'qemu/destination-in-use'),
    Scenario('both-bochs-and-from-unknown', push(to('vda', kind='bochs'), incremental='cp9'), TWO, 'checkpoint/no-such-checkpoint'),
    Scenario('both-same-export-and-own-image', pull(scratch('vda', '/vm/vda.qcow2', rest=" exportname='a'"), scratch('vdb', rest=" exportname='a'")), TWO, 'qemu/destination-in-use'),
    Scenario('both-same-export-and-long-socket', pull(scratch('vda', rest=" exportname='a'"), scratch('vdb', rest=" exportname='a'"),
                                                      server=f"<server transport='unix' socket='/vm/{'s' * 200}'/>"), TWO, 'qemu/socket-path-length'),
    Scenario('both-own-image-and-long-socket', pull(scratch('vda', '/vm/vda.qcow2'), server=f"<server transport='unix' socket='/vm/{'s' * 200}'/>"), TWO, 'qemu/destination-in-use'),
    Scenario('both-bitmap-and-same-export', pull(scratch('vda', rest=" exportname='a' exportbitmap='' incremental='cp1'"), scratch('vdb', rest=" exportname='a'")), TWO,
             'qemu/export-bitmap-name', existing=CP1),
    Scenario('both-bitmap-and-long-socket', pull(scratch('vda', rest=" exportbitmap='' incremental='cp1'"), server=f"<server transport='unix' socket='/vm/{'s' * 200}'/>"), TWO,
             'qemu/socket-path-length', existing=CP1),
    Scenario('both-checkpoint-name-length-and-own-image', push(to('vda', '/vm/vda.qcow2')), TWO, 'qemu/destination-in-use', checkpoint=checkpoint('c' * 250, *covers('vda'))),
    Scenario('both-checkpoint-no-disks-and-backup-no-disks', push(), (), 'align/no-domain-disks', checkpoint=checkpoint('cp1')),
    Scenario('both-stopped-and-checkpoint-raw', push(to('vda')), MIXED, 'advice/inactive-domain', stopped=True, checkpoint=checkpoint('cp1')),
    Scenario('both-transient-and-checkpoint-raw', push(to('vda')), (TRANSIENT[0], raw('vdb')), 'qemu/transient-disk', checkpoint=checkpoint('cp1')),
]
