#!/usr/bin/env python3
"""Makes the certificates of host.py's scenarios about TLS: FOLDER/pki, and what replaces some of them in FOLDER/pki-*. It needs `cryptography`."""

import ipaddress
import sys
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Usage
from cryptography.x509.oid import NameOID

folder = Path(sys.argv[1])
NOW = ('2026-01-01', '2096-01-01')


def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(subject, subject_key, issuer, issuer_key, days, usage=None):
    """A certificate; without a usage, an authority's."""
    is_authority = usage is None
    builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).public_key(subject_key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(datetime.fromisoformat(days[0])).not_valid_after(datetime.fromisoformat(days[1]))
    builder = builder.add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    signs = dict(key_cert_sign=is_authority, crl_sign=is_authority, digital_signature=not is_authority, key_encipherment=not is_authority)
    builder = builder.add_extension(x509.KeyUsage(content_commitment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False, **signs), critical=True)
    if usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName('localhost'), x509.IPAddress(ipaddress.ip_address('127.0.0.1'))]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def write(variant, file, made):
    path = folder / f'pki{variant}' / f'{file}.pem'
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(made, (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey)):
        path.write_bytes(made.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()))
    else:
        path.write_bytes(made.public_bytes(serialization.Encoding.PEM))


authority, server = key(), key()


def own(days=NOW, usage=Usage.SERVER_AUTH, key=server):
    return certificate('localhost', key, 'authority', authority, days, usage)


write('', 'ca-cert', certificate('authority', authority, 'authority', authority, NOW))
write('', 'server-cert', own())
write('', 'server-key', server)
write('-expired', 'server-cert', own(('2020-01-01', '2021-01-01')))
write('-future', 'server-cert', own(('2090-01-01', '2091-01-01')))
write('-client', 'server-cert', own(usage=Usage.CLIENT_AUTH))
other = key()
write('-other-ca', 'ca-cert', certificate('another', other, 'another', other, NOW))
write('-other-key', 'server-key', key())
write('-ca-expired', 'ca-cert', certificate('authority', authority, 'authority', authority, ('2020-01-01', '2021-01-01')))
elliptic = ec.generate_private_key(ec.SECP256R1())
for variant, private in (('-elliptic', elliptic), ('-elliptic-other-key', ec.generate_private_key(ec.SECP256R1()))):
    write(variant, 'server-cert', own(key=elliptic))
    write(variant, 'server-key', private)
(folder / 'pki-not-pem').mkdir(exist_ok=True)
(folder / 'pki-not-pem/server-cert.pem').write_text('nonsense\n')
