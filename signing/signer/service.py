# SPDX-License-Identifier: Apache-2.0
"""What may be signed: each request checked, written to the audit file, and only then answered.

The clock comes in as an argument, and is the only source of times: a caller gives none.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from .. import canonical, idtokens, ocsp, timestamps, treehead
from ..crls import Period
from ..digests import sha256
from ..errors import KeyUnusable
from ..keys import PublicKey, Signer
from ..revocation import Missing, NotRevoked, Revocation
from ..treehead import TreeHead
from . import answers, claiming, distribution, identities, revoked, rules
from .administration import AdministrationOp, AdministrationRequest
from .allowed import SERIAL_BITS, Allowed, allow
from .answers import Description, Signed
from .audit import Audit, AuditMark
from .claims import ClaimOp, SignClaimRequest
from .errors import KeyUnavailable, SignerRefusal
from .highwater import Head, HighWater
from .issuing import Issuing
from .keystore import Keystore
from .managing import answer as manage
from .protocol import (
    AuthoritiesRequest,
    CertificateRequest,
    CertifyRequest,
    DescribeRequest,
    Op,
    PrecertifyRequest,
    SignAllRequest,
    SignHeadRequest,
    SignRequest,
    TimestampRequest,
    parse_request,
)
from .revocations import (
    RevocationOp,
    RevocationRequest,
    RootCrlRequest,
    SignCrlRequest,
    SignOcspRequest,
)
from .vouchers import (
    DistributionKeyRequest,
    PrecertifyIdentityRequest,
    SignMetadataRequest,
    SignTokenRequest,
    TokenKeyRequest,
    Voucher,
    VoucherOp,
)

OCSP_DAYS = 1


class SignerService:
    """Keys, audit file and high-water mark, and the rules between them."""

    def __init__(
        self,
        keystore: Keystore,
        *,
        issuing: Issuing,
        audit: Audit,
        high_water: HighWater,
        clock: Callable[[], datetime],
    ) -> None:
        self._keystore = keystore
        self._issuing = issuing
        self._audit = audit
        self._high_water = high_water
        self._clock = clock
        self._registry = keystore.trust_root.registry

    def answer(self, message: bytes) -> bytes:
        """The answer to one message. A refusal is an answer; then nothing was signed."""
        try:
            return self._dispatch(message)
        except SignerRefusal as refusal:
            return answers.write_refusal(refusal)
        except KeyUnusable as error:  # its token is away, or holds it no longer
            return answers.write_refusal(KeyUnavailable(str(error)))

    def _dispatch(self, message: bytes) -> bytes:
        match parse_request(message):
            case DescribeRequest():
                answer = self._describe()
            case SignRequest() | SignAllRequest() | SignClaimRequest() as request:
                answer = self._sign(request)
            case TimestampRequest() as request:
                answer = self._timestamp(request)
            case (
                PrecertifyRequest()
                | CertifyRequest()
                | CertificateRequest()
                | AuthoritiesRequest() as request
            ):
                answer = self._issue(request)
            case SignHeadRequest() as request:
                answer = self._sign_head(request)
            case SignCrlRequest() | SignOcspRequest() | RootCrlRequest() as request:
                answer = self._tell_revoked(request)
            case (
                SignTokenRequest()
                | TokenKeyRequest()
                | PrecertifyIdentityRequest()
                | SignMetadataRequest()
                | DistributionKeyRequest()
            ) as request:
                answer = self._vouch(request)
            case _ as request:
                answer = self._manage(request)
        return answer

    def _manage(self, request: AdministrationRequest) -> bytes:
        at = self._now()

        def record(op: AdministrationOp, details: Mapping[str, str | int]) -> None:
            self._audit.append(at=at, op=op.value, details=details)

        return manage(request, self._keystore, record=record, at=at)

    def _tell_revoked(self, request: RevocationRequest) -> bytes:
        match request:
            case SignCrlRequest():
                return self._sign_crl(request)
            case SignOcspRequest():
                return self._sign_ocsp(request)
            case RootCrlRequest():
                return answers.write_crl(self._keystore.root_crl())

    def _vouch(self, request: Voucher) -> bytes:
        at = self._now()
        match request:
            case SignTokenRequest():
                return self._sign_token(request, at)
            case TokenKeyRequest():
                key = self._keystore.token_key().public_key
                return answers.write_token_key(idtokens.jwk(key))
            case PrecertifyIdentityRequest():
                record = self._recorder(at, VoucherOp.PRECERTIFY_IDENTITY)
                made = self._issuing.precertify_identity(request, at=at, record=record)
                return answers.write_precertificate(made)
            case SignMetadataRequest():
                details = distribution.check(request.metadata, at)
                self._record(at, VoucherOp.SIGN_METADATA, details)
                signature = self._keystore.distribution_key().sign(request.metadata)
                return answers.write_signature(signature)
            case DistributionKeyRequest():
                return answers.write_public_key(self._keystore.distribution_key().public_key)

    def _describe(self) -> bytes:
        return answers.write_description(
            Description(trust_root=self._keystore.trust_root, head=self._high_water.head)
        )

    def _sign(self, request: SignRequest | SignAllRequest | SignClaimRequest) -> bytes:
        match request:
            case SignClaimRequest():
                return self._sign_claim(request)
            case SignAllRequest():
                return answers.write_signed_all(self._sign_each(request.claims))
            case SignRequest():
                (found,) = self._sign_each((request,))
                if isinstance(found, SignerRefusal):
                    raise found
                return answers.write_signed(found)

    def _sign_claim(self, request: SignClaimRequest) -> bytes:
        at = self._now()
        record = self._recorder(at, ClaimOp.SIGN_CLAIM)
        signature = claiming.sign(request, self._keystore, at=at, record=record)
        return answers.write_signature(signature)

    def _sign_each(self, requests: Sequence[SignRequest]) -> list[Signed | SignerRefusal]:
        """1. which are allowed; 2. the timestamp authority; 3. the audit lines; 4. signatures.

        One that is not allowed has no line and no signature, and is answered so.
        """
        at = self._now()
        found = [allow(each, keystore=self._keystore, at=at) for each in requests]  # 1
        allowed = [each for each in found if isinstance(each, Allowed)]
        if not allowed:
            return [each for each in found if isinstance(each, SignerRefusal)]
        stamping = self._keystore.timestamping(at)  # 2
        self._audit.append_all(at=at, op=Op.SIGN.value, each=[one.line() for one in allowed])  # 3
        return [
            each.sign(stamping, at=at) if isinstance(each, Allowed) else each  # 4
            for each in found
        ]

    def _timestamp(self, request: TimestampRequest) -> bytes:
        """A request that earns no token is answered by RFC 3161's failure, which is not signed."""
        at = self._now()
        serial = secrets.randbits(SERIAL_BITS)
        stamping = self._keystore.timestamping(at)
        details = {
            "request_sha256": sha256(request.request),
            "timestamp_serial": f"{serial:x}",
        }
        response = timestamps.respond(
            request.request,
            key=_Recorded(
                key=stamping.key,
                record=lambda: self._record(at, Op.TIMESTAMP, details),
            ),
            chain=stamping.chain,
            at=at,
            serial=serial,
        )
        return answers.write_timestamp(response)

    def _issue(
        self,
        request: PrecertifyRequest | CertifyRequest | CertificateRequest | AuthoritiesRequest,
    ) -> bytes:
        at = self._now()
        match request:
            case PrecertifyRequest():
                record = self._recorder(at, Op.PRECERTIFY)
                made = self._issuing.precertify(request, at=at, record=record)
                return answers.write_precertificate(made)
            case CertifyRequest():
                mark, record = self._high_water.head, self._recorder(at, Op.CERTIFY)
                chain = self._issuing.certify(request, mark=mark, at=at, record=record)
                return answers.write_chain(chain)
            case CertificateRequest():
                return answers.write_certificate(self._issuing.current(request, at=at))
            case AuthoritiesRequest():
                return answers.write_authorities(self._keystore.authorities())

    def _sign_head(self, request: SignHeadRequest) -> bytes:
        """1. it continues the mark; 2. the audit line; 3. the new mark, durable; 4. the signature.

        A crash after 2 leaves a line, one after 3 a mark that was never signed: asking again for
        the same head passes 1 and is answered with the same note, as Ed25519 is deterministic.
        """
        head = Head(size=request.size, root=request.root)
        rules.check_continues(self._high_water.head, head, request.consistency)  # 1
        mark = self._record(  # 2
            self._now(), Op.SIGN_HEAD, {"size": head.size, "root": head.root.hex()}
        )
        if head != self._high_water.head:
            self._high_water.advance(head, audit=mark)  # 3
        tree_head = TreeHead(
            origin=self._keystore.trust_root.origin, size=head.size, root=head.root
        )
        return answers.write_note(treehead.sign(tree_head, self._keystore.ledger_key))  # 4

    def _sign_crl(self, request: SignCrlRequest) -> bytes:
        """The list's number is its audit line's: durable, and growing with each list.

        When something was revoked is the caller's to say; that it was in the past is checked, and
        whatever was listed before is listed again.
        """
        at = self._now()
        rules.check_past(request.revocations, at)
        kept = self._keystore.revoked(request.issuer)
        revocations = revoked.together(kept, request.revocations)
        rules.check_room(revocations)
        listed = canonical.dumps([each.to_json() for each in revocations])
        mark = self._record(
            at,
            RevocationOp.SIGN_CRL,
            {
                "issuer": str(request.issuer),
                "revocations": len(revocations),
                "revocations_sha256": sha256(listed),
                "left_out": len(kept.keys() - {each.serial for each in request.revocations}),
            },
        )
        if revocations:
            self._keystore.forget({each.serial for each in revocations})
        crl = self._keystore.crl(request.issuer, revocations, number=mark.lines, at=at)
        return answers.write_crl(crl)

    def _sign_ocsp(self, request: SignOcspRequest) -> bytes:
        """An answer for a day, by the responder of the purpose's intermediate."""
        at = self._now()
        question = rules.read_question(request, self._keystore.intermediate(request.issuer), at)
        responder = self._keystore.responder(request.issuer, at=at)
        kept = self._keystore.revoked(request.issuer).get(question.about.serial)
        finding = _finding(request, kept, at)
        self._record(
            at,
            RevocationOp.SIGN_OCSP,
            {
                "issuer": str(request.issuer),
                "certificate_serial": f"{question.about.serial:x}",
                "status": type(finding).__name__,
            },
        )
        period = Period(this_update=at, next_update=at + timedelta(days=OCSP_DAYS))
        response = ocsp.respond(question, finding, responder=responder, period=period)
        return answers.write_ocsp(response)

    def _sign_token(self, request: SignTokenRequest, at: datetime) -> bytes:
        token_id = f"{secrets.randbits(SERIAL_BITS):x}"
        wanted = identities.assertion(request, registry=self._registry, token_id=token_id)
        record = self._recorder(at, VoucherOp.SIGN_TOKEN)
        token = identities.sign(wanted, key=self._keystore.token_key(), at=at, record=record)
        return answers.write_token(token)

    def _now(self) -> datetime:
        return self._clock().replace(microsecond=0)

    def _recorder(
        self, at: datetime, op: Op | VoucherOp | ClaimOp
    ) -> Callable[[Mapping[str, str | int]], None]:
        def record(details: Mapping[str, str | int]) -> None:
            self._record(at, op, details)

        return record

    def _record(
        self,
        at: datetime,
        op: Op | RevocationOp | VoucherOp | ClaimOp,
        details: Mapping[str, str | int],
    ) -> AuditMark:
        return self._audit.append(at=at, op=op.value, details=details)


def _finding(
    request: SignOcspRequest, kept: Revocation | None, at: datetime
) -> Revocation | NotRevoked | Missing:
    """What the caller says, unless the issuer's last list says worse."""
    if request.revocation is not None:
        return revoked.stricter(kept, request.revocation)
    return kept or (NotRevoked(said_at=at) if request.is_known else Missing())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recorded:
    """A key that has its audit line written before it signs, and does not sign without."""

    key: Signer
    record: Callable[[], object]

    @property
    def public_key(self) -> PublicKey:
        return self.key.public_key

    def sign(self, data: bytes) -> bytes:
        self.record()
        return self.key.sign(data)
