"""Identity: whose tokens are believed, and for how long."""

import time
from pathlib import Path
from threading import Barrier, Thread

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.errors import Unauthenticated, Unavailable
from shared.identity import AUDIENCE, USERS_ISSUER, AccessTokens, FetchedKeys, LocalServices, local_key, public_jwk

KEY = Ed25519PrivateKey.generate()
KID = public_jwk(KEY.public_key())["kid"]


def token(key: Ed25519PrivateKey = KEY, kid: str = KID, **more: object) -> str:
    now = int(time.time())
    claims = {"iss": USERS_ISSUER, "aud": AUDIENCE, "sub": "ann", "iat": now, "exp": now + 60} | more
    return jwt.encode(claims, key, "EdDSA", headers={"kid": kid})


def test_a_token_that_was_believed_once_is_not_when_it_has_expired() -> None:
    now = [time.time()]
    tokens = AccessTokens(lambda _: KEY.public_key(), clock=lambda: now[0])
    sent = token()
    assert tokens.check(sent) == "ann"
    now[0] += 3600
    with pytest.raises(Unauthenticated, match="expired"):
        tokens.check(sent)


@pytest.mark.parametrize("wrong", [{"iss": "x"}, {"aud": "x"}, {"exp": 1}, {"sub": 5}, {"exp": None}])
def test_a_token_with_a_wrong_claim_is_nobodys(wrong: dict[str, object]) -> None:
    with pytest.raises(Unauthenticated):
        AccessTokens(lambda _: KEY.public_key()).check(token(**wrong))


@pytest.mark.parametrize("text", ["", "a", "a.b.c", "x" * 10_000, "\ud800"])
def test_what_is_no_token_is_nobodys(text: str) -> None:
    with pytest.raises(Unauthenticated):
        AccessTokens(lambda _: KEY.public_key()).check(text)


def test_keys_are_fetched_once_and_not_for_every_wrong_id() -> None:
    asked = []

    def fetch() -> dict[str, list[dict[str, str]]]:
        asked.append(1)
        return {"keys": [public_jwk(KEY.public_key()), {"kty": "RSA", "kid": "other"}]}

    keys = FetchedKeys(fetch)
    assert AccessTokens(keys).check(token()) == "ann"
    for number in range(5):
        with pytest.raises(Unauthenticated):
            keys(f"unknown-{number}")
    assert len(asked) == 1


def test_keys_that_cannot_be_had_are_asked_for_again() -> None:
    answers = [Unavailable("down"), {"keys": [public_jwk(KEY.public_key())]}]

    def fetch() -> dict[str, list[dict[str, str]]]:
        answer = answers.pop(0)
        if isinstance(answer, Unavailable):
            raise answer
        return answer

    keys = FetchedKeys(fetch)
    with pytest.raises(Unavailable):
        keys(KID)
    assert keys(KID)


def test_a_services_identity_is_for_one_audience(tmp_path: Path) -> None:
    key = local_key(tmp_path / "k.pem")
    sent = LocalServices("plan", key).sign("profile")
    assert LocalServices("profile", key).check(sent, "profile") == "plan"
    with pytest.raises(Unauthenticated):
        LocalServices("logging", key).check(sent, "logging")
    with pytest.raises(Unauthenticated):
        LocalServices("profile", KEY).check(sent, "profile")


def test_processes_that_make_the_key_at_one_moment_get_the_same(tmp_path: Path) -> None:
    together, made = Barrier(8), []

    def make() -> None:
        together.wait()
        made.append(public_jwk(local_key(tmp_path / "keys" / "k.pem").public_key())["kid"])

    threads = [Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 1
    assert len(made) == 8
    assert (tmp_path / "keys" / "k.pem").stat().st_mode & 0o077 == 0
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["k.pem"]
