"""Encrypted and labelled destinations, and encrypted disks."""

from .words import Disk, Scenario, checkpoint, covers, image, loop, pull, push, qcow2, raw, scratch, to, to_device, unloop

ONE = (qcow2('vda'),)
UUID = '11111111-2222-4333-8444-555555555555'
FORMAT = 'qemu/encryption-format'


def luks(more='', uuid=UUID, engine=''):
    return f"<encryption format='luks'{engine}><secret type='passphrase' uuid='{uuid}'/>{more}</encryption>"


CIPHER = 'qemu/unknown-cipher'
# What QEMU makes of the words for a cipher.
CIPHERS = [
    *((None, {'name': name, 'size': size}) for name, size in (
        ('aes', '128'), ('aes', '192'), ('serpent', '256'), ('twofish', '128'), ('cast5', '128'), ('sm4', '128'))),
    *((CIPHER, {'name': name, 'size': size}) for name, size in (('rot13', '256'), ('aes', '100'), ('AES', '256'), ('des', '64'), ('3des', '192'), ('', '256'), ('serpent', '64'))),
    *((None, {'mode': mode, 'hash': 'sha256'}) for mode in ('xts', 'cbc', 'ctr')),
    *((CIPHER, {'mode': mode, 'hash': hash}) for mode, hash in (('gcm', 'sha256'), ('xts', 'sha3'), ('XTS', 'sha256'), ('', 'sha256'), ('xts', ''))),
    *((None, {'mode': 'xts', 'hash': hash}) for hash in ('sha1', 'sha512', 'md5')),
    *((None, {'ivgen': ivgen, 'ivhash': hash}) for ivgen, hash in (('plain', 'sha256'), ('plain64', 'sha1'), ('essiv', 'sha256'))),
    *((CIPHER, {'ivgen': ivgen, 'ivhash': hash}) for ivgen, hash in (('random', 'sha256'), ('plain64', 'sha3'), ('', 'sha256'), ('plain64', ''))),
]


def cipher(name='aes', size='256', mode=None, hash=None, ivgen='plain64', ivhash=None):
    more = f" mode='{mode}' hash='{hash}'" if mode is not None else ''
    tail = f" hash='{ivhash}'" if ivhash is not None else ''
    return f"<cipher name='{name}' size='{size}'{more}/><ivgen name='{ivgen}'{tail}/>"


MAKE = (f"printf '%s' \"<secret ephemeral='no' private='no'><uuid>{UUID}</uuid><usage type='volume'><volume>preflight</volume></usage></secret>\" > secret.xml",
        'virsh secret-define secret.xml', f"virsh secret-set-value {UUID} $(printf secret | base64) --plain 2>/dev/null || virsh secret-set-value {UUID} --base64 $(printf secret | base64)")
GONE = (f'virsh secret-undefine {UUID}',)
SECRET = {'prepare': MAKE, 'clean': GONE, 'host': True}
LOCKED = Disk("<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/vm/vda.qcow2'>"
              f"{luks()}</source><target dev='vda' bus='virtio'/></disk>",
              (*MAKE, "qemu-img create -q -f qcow2 --object secret,id=s,data=secret -o encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10 /vm/vda.qcow2 1M",
               "qemu-io --object secret,id=s,data=secret --image-opts driver=qcow2,file.filename=/vm/vda.qcow2,encrypt.key-secret=s -c 'write -P 0x41 0 128k'"), GONE)
LOCKED_RAW = Disk("<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/vm/vda.img'>"
                  f"{luks()}</source><target dev='vda' bus='virtio'/></disk>",
                  (*MAKE, "qemu-img create -q -f luks --object secret,id=s,data=secret -o key-secret=s,iter-time=10 /vm/vda.img 1M",
                   "qemu-io --object secret,id=s,data=secret --image-opts driver=luks,file.filename=/vm/vda.img,key-secret=s -c 'write -P 0x41 0 128k'"), GONE)

TABLE = [
    Scenario('encrypted-secret-missing', push(to('vda', inside=luks())), ONE, host=True),
    Scenario('encrypted-secret-without-value', push(to('vda', inside=luks())), ONE, host=True, prepare=MAKE[:2], clean=GONE),
    Scenario('encrypted', push(to('vda', inside=luks())), ONE, **SECRET),
    Scenario('encrypted-by-usage', push(to('vda', inside="<encryption format='luks'><secret type='passphrase' usage='preflight'/></encryption>")), ONE, **SECRET),
    Scenario('encrypted-engine-qemu', push(to('vda', inside=luks(engine=" engine='qemu'"))), ONE, **SECRET),
    Scenario('encrypted-cipher', push(to('vda', inside=luks("<cipher name='aes' size='256' mode='xts' hash='sha256'/><ivgen name='plain64' hash='sha256'/>"))), ONE, **SECRET),
    *(Scenario('encrypted-' + '-'.join(f"{key}-{word or 'empty'}" for key, word in words.items()), push(to('vda', inside=luks(cipher(**words)))), ONE, rule, host=rule is None, prepare=MAKE, clean=GONE)
      for rule, words in CIPHERS),
    Scenario('encrypted-raw-of-raw-disk', push(to('vda', kind='raw', inside=luks())), (raw('vda'),), FORMAT, prepare=MAKE, clean=GONE),
    Scenario('encrypted-raw-larger', push(to('vda', kind='raw', inside=luks())), (qcow2('vda', size='64M'),), FORMAT, prepare=MAKE, clean=GONE),
    Scenario('encrypted-raw-device', push(to_device('vda', '/vm/target.dev', 'raw').replace("dev'/>", f"dev'>{luks()}</target>")), ONE, host=True,
             prepare=(*MAKE, *loop('/vm/target.dev', '/vm/target.loop', '4M')), clean=(*GONE, unloop('/vm/target.dev'))),
    Scenario('encrypted-raw-device-of-the-size', push(to_device('vda', '/vm/target.dev', 'raw').replace("dev'/>", f"dev'>{luks()}</target>")), ONE, host=True,
             reuse=True, prepare=(*MAKE, *loop('/vm/target.dev', '/vm/target.loop', '1M')), clean=(*GONE, unloop('/vm/target.dev'))),
    Scenario('encrypted-raw-reused-plain-file', push(to('vda', kind='raw', inside=luks())), ONE, host=True, reuse=True, clean=GONE,
             prepare=(*MAKE, image('/vm/vda.backup', 'raw'))),
    Scenario('encrypted-raw-reused', push(to('vda', kind='raw', inside=luks())), ONE, host=True, reuse=True, clean=GONE, prepare=(
        *MAKE, 'qemu-img create -q -f luks --object secret,id=s,data=secret -o key-secret=s,iter-time=10 /vm/vda.backup 1M')),
    Scenario('encrypted-pull', pull(scratch('vda').replace("scratch'/>", f"scratch'>{luks()}</scratch>")), ONE, **SECRET),
    *(Scenario(f'encrypted-{kind}', push(to('vda', kind=kind, inside=luks())), ONE, {'qcow2': None, 'iso': 'qemu/unsupported-format'}.get(kind, FORMAT), prepare=MAKE, clean=GONE,
               host=kind == 'qcow2') for kind in ('raw', 'qcow2', 'vdi', 'vmdk', 'qcow', 'qed', 'vhd', 'ploop', 'iso')),
    *(Scenario(f'encrypted-{kind}-secret-missing', push(to('vda', kind=kind, inside=luks())), ONE, FORMAT)
      for kind in ('raw', 'vdi', 'vmdk', 'qcow')),
    Scenario('encrypted-reused', push(to('vda', inside=luks())), ONE, host=True, reuse=True, clean=GONE, prepare=(
        *MAKE, 'qemu-img create -q -f qcow2 --object secret,id=s,data=secret -o encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10 /vm/vda.backup 1M')),
    Scenario('encrypted-reused-plain-file', push(to('vda', inside=luks())), ONE, host=True, reuse=True, clean=GONE, prepare=(*MAKE, image('/vm/vda.backup'))),
    Scenario('encrypted-incremental', push(to('vda', inside=luks()), incremental='cp1'), ONE, existing=(checkpoint('cp1', *covers('vda')),), **SECRET),
    Scenario('encrypted-disk', push(to('vda')), (LOCKED,)),
    Scenario('encrypted-disk-checkpoint', push(to('vda')), (LOCKED,), checkpoint=checkpoint('cp1', *covers('vda'))),
    Scenario('encrypted-disk-raw', push(to('vda')), (LOCKED_RAW,)),
    Scenario('encrypted-disk-raw-checkpoint', push(to('vda')), (LOCKED_RAW,), 'checkpoint/unsupported-format', checkpoint=checkpoint('cp1', *covers('vda'))),
    Scenario('encrypted-disk-to-encrypted', push(to('vda', inside=luks())), (LOCKED,)),
    Scenario('label-no-relabel', push(to('vda', inside="<seclabel model='dac' relabel='no'/>")), ONE),
    Scenario('label-other-model', push(to('vda', inside="<seclabel model='selinux' relabel='no'/>")), ONE),
    Scenario('label-no-model', push(to('vda', inside="<seclabel relabel='no'/>")), ONE),
    Scenario('label-text', push(to('vda', inside="<seclabel model='dac'><label>+0:+0</label></seclabel>")), ONE),
    Scenario('label-text-wrong', push(to('vda', inside="<seclabel model='dac'><label>nobody-like-this:x</label></seclabel>")), ONE, host=True),
]
