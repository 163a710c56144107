"""Accounts: signing up, logging in, staying so and leaving, in Postgres.

A sign-up that comes again under its Idempotency-Key, because its answer was lost, proves itself by the password and
gets a session of its own: tokens are kept nowhere, nor is anything that a password went into.

A refresh token works once. One that comes again was stolen, or its answer was lost: either way the whole family
that descends from that login ends, and whoever it was has to log in.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from pydantic import SecretStr

from services.profile import throttle
from services.profile.passwords import Passwords
from services.profile.schemas import Login, Logout, Me, PasswordChange, Session, SignUp
from services.profile.tokens import ACCESS_LIFE, REFRESH_LIFE, TokenSigner, hashed, new_refresh_token
from shared.database import Database
from shared.endpoints import Answer, Receipt
from shared.errors import Conflict, Forbidden, NotFound, Unauthenticated
from shared.receipts import Receipts
from shared.statements import Asked, DatabaseRefused, Statement

ADD: Final = Statement("""
    INSERT INTO profile.users (user_id, email, name, password_hash) VALUES (:user_id, :email, :name, :password_hash)""")
BY_EMAIL: Final = Statement("""
    SELECT user_id, password_hash FROM profile.users WHERE lower(email) = lower(:email)""")
RECEIPT: Final = Statement("SELECT digest FROM profile.receipts WHERE user_id = :user_id AND key = :key")
ONBOARDED: Final = Statement("SELECT 1 FROM profile.profiles WHERE user_id = :user_id")
ME: Final = Statement("""
    SELECT u.user_id, u.email, u.name, u.created_at, p.user_id IS NULL
    FROM profile.users u LEFT JOIN profile.profiles p USING (user_id) WHERE u.user_id = :user_id""")
RENAME: Final = Statement("UPDATE profile.users SET name = :name WHERE user_id = :user_id")
HASH: Final = Statement("SELECT password_hash FROM profile.users WHERE user_id = :user_id")
SET_HASH: Final = Statement("""
    UPDATE profile.users SET password_hash = :new WHERE user_id = :user_id AND password_hash = :old RETURNING 1""")
ISSUE: Final = Statement("""
    INSERT INTO profile.refresh_tokens (token_hash, user_id, family, expires_at)
    VALUES (:token_hash, :user_id, :family, :expires_at)""")
TIDY: Final = Statement("DELETE FROM profile.refresh_tokens WHERE user_id = :user_id AND expires_at < now()")
FIND: Final = Statement("""
    SELECT user_id, family, used_at IS NOT NULL, expires_at <= now() FROM profile.refresh_tokens
    WHERE token_hash = :token_hash""")
ROTATE: Final = Statement("""
    WITH used AS (UPDATE profile.refresh_tokens SET used_at = now()
      WHERE token_hash = :old AND used_at IS NULL RETURNING user_id, family)
    INSERT INTO profile.refresh_tokens (token_hash, user_id, family, expires_at)
    SELECT :new, user_id, family, :expires_at FROM used RETURNING 1""")
END_FAMILY: Final = Statement("DELETE FROM profile.refresh_tokens WHERE family = :family")
END_ALL: Final = Statement("DELETE FROM profile.refresh_tokens WHERE user_id = :user_id")
DELETE: Final = Statement("DELETE FROM profile.users WHERE user_id = :user_id RETURNING 1")


class PostgresAccounts:
    """Who there is."""

    def __init__(
        self, database: Database, passwords: Passwords, signer: TokenSigner, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._receipts = Receipts(database, "profile")
        self._passwords = passwords
        self._signer = signer
        self._clock = clock

    def sign_up(self, asked: SignUp, key: str | None, address: str) -> Answer[Session]:
        """Make an account and log in; raises Conflict where the e-mail has one, but for the same request once more."""
        user_id = str(uuid4())
        password_hash = self._passwords.hash(asked.password)
        adding = ADD(user_id=user_id, email=asked.email, name=asked.name, password_hash=password_hash)
        token, issuing = self._issue(user_id)
        kept = [self._receipts.kept(user_id, _signing_up(asked, key), Answer(b"{}", 201))] if key else []
        try:
            self._database.run(user_id, adding, issuing, *kept)
        except DatabaseRefused as exc:
            if exc.constraint != "users_email":
                raise
            return self._signed_up(asked, key, address)
        return Answer(self._session(user_id, token, needs_onboarding=True))

    def _signed_up(self, asked: SignUp, key: str | None, address: str) -> Answer[Session]:
        """Return a session to who signed up before by the same request; raises Conflict for anybody else."""
        seen = {"app.email": asked.email}
        (found,) = self._database.run(None, BY_EMAIL(email=asked.email), settings=seen)
        user_id = found[0][0] if found and key else None
        (kept,) = self._database.run(user_id, RECEIPT(user_id=user_id, key=key)) if user_id else ([],)
        if not kept:
            raise Conflict("there is an account with this e-mail already; log in")
        other = Conflict("this Idempotency-Key was used for another request")
        if kept[0][0] != _signing_up(asked, key).digest:
            raise other
        try:
            session = self.log_in(Login(email=asked.email, password=asked.password), address)
        except Unauthenticated as exc:
            raise other from exc
        return Answer(session, headers={"Idempotent-Replay": "true"})

    def log_in(self, asked: Login, address: str) -> Session:
        """Begin a session; raises Unauthenticated, and Throttled after too many wrong passwords."""
        tries = throttle.Tries(asked.email, address)
        seen = {"app.email": asked.email}
        failures, found = self._database.run(None, tries.look(), BY_EMAIL(email=asked.email), settings=seen)
        throttle.check(failures)
        user_id, password_hash = found[0] if found else ("", None)
        if not self._passwords.fits(asked.password, password_hash):
            self._database.run(None, *tries.failed())
            raise Unauthenticated("the e-mail or the password is wrong")
        token, issuing = self._issue(user_id)
        cleared = tries.succeeded()
        *_, onboarded = self._database.run(user_id, cleared, TIDY(user_id=user_id), issuing, ONBOARDED(user_id=user_id))
        return self._session(user_id, token, needs_onboarding=not onboarded)

    def refresh(self, token: SecretStr) -> Session:
        """Go on with a session; raises Unauthenticated, and ends the session where the token was used before."""
        old = hashed(token.get_secret_value())
        user_id, family, was_used, has_expired = self._token(old)
        if has_expired:
            raise Unauthenticated("the session has expired; log in again")
        new = new_refresh_token()
        rotating = ROTATE(old=old, new=hashed(new), expires_at=self._clock() + REFRESH_LIFE)
        rotated, onboarded = self._database.run(user_id, rotating, ONBOARDED(user_id=user_id))
        if was_used or not rotated:
            self._database.run(user_id, END_FAMILY(family=family))
            raise Unauthenticated("this refresh token was used before; the session has ended, log in again")
        return self._session(user_id, new, needs_onboarding=not onboarded)

    def log_out(self, asked: Logout) -> None:
        """End a session, or all of its user's; a token that is nobody's ends nothing."""
        try:
            user_id, family, _, _ = self._token(hashed(asked.refresh_token.get_secret_value()))
        except Unauthenticated:
            return
        self._database.run(user_id, END_ALL(user_id=user_id) if asked.everywhere else END_FAMILY(family=family))

    def me(self, user_id: str) -> Me:
        """Return a user; raises NotFound."""
        (found,) = self._database.run(user_id, ME(user_id=user_id))
        if not found:
            raise NotFound("there is no such user any more")
        identity, email, name, created_at, needs_onboarding = found[0]
        return Me(
            user_id=UUID(identity), email=email, name=name, created_at=created_at, needs_onboarding=needs_onboarding
        )

    def rename(self, user_id: str, name: str) -> Me:
        """Change a user's name; raises NotFound."""
        self._database.run(user_id, RENAME(user_id=user_id, name=name))
        return self.me(user_id)

    def change_password(self, user_id: str, asked: PasswordChange) -> None:
        """Change a password and end every session; raises Forbidden where the old one is wrong."""
        old = self._confirmed(user_id, asked.old_password)
        new = self._passwords.hash(asked.new_password)
        setting = SET_HASH(user_id=user_id, old=old, new=new)
        changed, _ = self._database.run(user_id, setting, END_ALL(user_id=user_id))
        if not changed:
            raise Conflict("the password was changed by somebody else at the same time")

    def delete(self, user_id: str, password: SecretStr) -> None:
        """Delete a user and all that is theirs, in every service; raises Forbidden where the password is wrong."""
        self._confirmed(user_id, password)
        self._database.run(user_id, DELETE(user_id=user_id))

    def _confirmed(self, user_id: str, password: SecretStr) -> str:
        tries = throttle.Tries(user_id, "confirming")
        failures, found = self._database.run(user_id, tries.look(), HASH(user_id=user_id))
        throttle.check([row for row in failures if row[0].startswith("pair:")])
        if not found:
            raise NotFound("there is no such user any more")
        made: str = found[0][0]
        if not self._passwords.fits(password, made):
            self._database.run(user_id, *tries.failed())
            raise Forbidden("the password is wrong")
        return made

    def _token(self, token_hash: str) -> tuple[str, str, bool, bool]:
        (found,) = self._database.run(None, FIND(token_hash=token_hash), settings={"app.refresh": token_hash})
        if not found:
            raise Unauthenticated("there is no such session any more; log in again")
        user_id, family, was_used, has_expired = found[0]
        return user_id, family, was_used, has_expired

    def _issue(self, user_id: str) -> tuple[str, Asked]:
        token = new_refresh_token()
        expires_at = self._clock() + REFRESH_LIFE
        return token, ISSUE(token_hash=hashed(token), user_id=user_id, family=str(uuid4()), expires_at=expires_at)

    def _session(self, user_id: str, token: str, needs_onboarding: bool) -> Session:
        return Session(
            user_id=UUID(user_id),
            access_token=self._signer.access(user_id),
            expires_in_s=int(ACCESS_LIFE.total_seconds()),
            refresh_token=token,
            needs_onboarding=needs_onboarding,
        )


def _signing_up(asked: SignUp, key: str | None) -> Receipt:
    """Return the receipt of a sign-up: of its name and e-mail, and not of the password."""
    return Receipt(key, hashed(f"{asked.email.lower()}\n{asked.name}"))
