"""Formats that a backup is written in."""

from .words import Scenario, checkpoint, covers, image, pull, push, qcow2, raw, scratch, to, to_device, loop, unloop

ONE = (qcow2('vda'),)
FORMAT = 'qemu/unsupported-format'
# Formats that an image can be made of, by qemu-img's names.
MADE = {'raw': 'raw', 'vpc': 'vpc', 'vdi': 'vdi', 'ploop': 'parallels', 'qcow': 'qcow', 'qcow2': 'qcow2', 'qed': 'qed', 'vmdk': 'vmdk',
        'dir': 'raw', 'bochs': 'raw', 'cloop': 'raw', 'dmg': 'raw', 'iso': 'raw', 'fat': 'raw', 'vhd': 'vhdx', 'cow': 'raw'}

UNWRITABLE = ('dir', 'bochs', 'cloop', 'dmg', 'iso', 'fat', 'cow')


def rule(kind, also=()):
    return FORMAT if kind in UNWRITABLE or kind in also else None


TABLE = [
    *(Scenario(f'format-{kind}', push(to('vda', '/vm/one', kind)), ONE, rule(kind), host=kind == 'vpc') for kind in MADE),
    *(Scenario(f'format-{kind}-reused', push(to('vda', '/vm/one', kind)), ONE, rule(kind), reuse=True,
               prepare=(image('/vm/one', made),), host=kind == 'vpc') for kind, made in MADE.items()),
    *(Scenario(f'format-{kind}-device', push(to_device('vda', '/vm/target.dev', kind)), ONE, rule(kind, ('qed',)), host=kind == 'vpc',
               prepare=loop('/vm/target.dev', '/vm/target.loop', '1M' if kind == 'raw' else '4M'), clean=(unloop('/vm/target.dev'),))
      for kind in ('raw', 'vpc', 'vdi', 'qed', 'vmdk', 'iso', 'qcow', 'ploop', 'bochs')),
    Scenario('format-vhd-device', push(to_device('vda', '/vm/target.dev', 'vhd')), ONE,
             prepare=loop('/vm/target.dev', '/vm/target.loop', '16M'), clean=(unloop('/vm/target.dev'),)),
    Scenario('format-qed-device-reused', push(to_device('vda', '/vm/target.dev', 'qed')), ONE, reuse=True,
             prepare=(*loop('/vm/target.dev', '/vm/target.loop', '16M'), image('/vm/made', 'qed'), 'dd if=/vm/made of=/vm/target.dev conv=notrunc'),
             clean=(unloop('/vm/target.dev'),)),
    *(Scenario(f'format-{kind}-of-raw-disk', push(to('vda', '/vm/one', kind)), (raw('vda'),), rule(kind))
      for kind in ('raw', 'qcow2', 'vdi', 'iso')),
    Scenario('format-none-driver', push("<disk name='vda' type='file'><driver/><target file='/vm/one'/></disk>"), ONE, 'schema/missing-attribute'),
    Scenario('format-generated-raw', push("<disk name='vda' type='file'><driver type='raw'/></disk>"), ONE),
    Scenario('format-generated-iso', push("<disk name='vda' type='file'><driver type='iso'/></disk>"), ONE, FORMAT),
    Scenario('format-generated-left-out-iso', push("<disk name='vda' backup='no'/>", to('vdb')), (qcow2('vda'), qcow2('vdb'))),
    Scenario('format-iso-second', push(to('vda'), to('vdb', '/vm/one', 'iso')), (qcow2('vda'), qcow2('vdb')), FORMAT),
    Scenario('format-vmdk-odd-size', push(to('vda', '/vm/one', 'vmdk')), (qcow2('vda', size='1000448'),)),
    Scenario('format-vpc-odd-size', push(to('vda', '/vm/one', 'vpc')), (qcow2('vda', size='1000448'),), host=True),
    Scenario('format-vpc-fitting-size', push(to('vda', '/vm/one', 'vpc')), (qcow2('vda', size='1044480'),), host=True),
    Scenario('format-vpc-large', push(to('vda', '/vm/one', 'vpc')), (qcow2('vda', size='200G'),), host=True),
    Scenario('format-qcow2-pull', pull("<disk name='vda' type='file'><driver type='qcow2'/><scratch file='/vm/one'/></disk>"), ONE),
    Scenario('format-none-pull', pull("<disk name='vda'><scratch file='/vm/one'/></disk>"), ONE),
    Scenario('format-pull-of-raw-disk', pull(scratch('vda')), (raw('vda'),)),
    *(Scenario(f'format-{kind}-incremental', push(to('vda', '/vm/one', kind), incremental='cp1'), ONE, rule(kind, ('vmdk',)),
               host=kind == 'vpc', existing=(checkpoint('cp1', *covers('vda')),)) for kind in ('raw', 'qcow2', 'vdi', 'iso', 'qed', 'vmdk', 'qcow', 'vpc', 'ploop')),
]
