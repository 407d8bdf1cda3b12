"""What ``livelight serve`` can be told, besides the light."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Self

from pydantic import Field

from livelight.config import RelightSettings
from livelight.errors import SettingsError

TOKEN_VARIABLE = "LIVELIGHT_TOKEN"
MIN_TOKEN = 16


class ServeSettings(RelightSettings):
    """RelightSettings, where to listen, and whom to let in. Inert."""

    host: str = Field("127.0.0.1", description="Address to listen on; all but this machine's own need TLS and a token.")
    port: int = Field(8710, ge=0, le=65535, description="TCP port; 0 takes a free one.")
    sessions: int = Field(4, ge=1, le=256, description="Sessions at once; one more is answered 503.")
    viewers: int = Field(16, ge=0, le=1024, description="Viewers (WHEP) at once.")
    cluster: int = Field(0, ge=0, le=512, description="Spread sessions over so many workers of a Ray cluster; 0: none.")
    tls_cert: Path | None = Field(None, description="TLS certificate chain, PEM.")
    tls_key: Path | None = Field(None, description="Its private key, PEM.")
    token_file: Path | None = Field(
        None,
        description=f"File with the token that requests must carry (Authorization: Bearer); or set {TOKEN_VARIABLE}.",
    )
    origins: str = Field("", description="Other origins whose pages may use this server, separated by commas.")
    stun: str = Field("", description="STUN server, stun:HOST:PORT; none by default, nobody is asked.")
    push: str = Field(
        "",
        description="WHIP endpoint of a media server that gets each stream of /whip/NAME, relit; {name} in it becomes "
        "NAME. Its token: LIVELIGHT_WHIP_TOKEN.",
    )
    turn: str = Field("", description="TURN server, turn:HOST:PORT; credentials in LIVELIGHT_TURN=USER:PASSWORD.")

    @property
    def loopback(self) -> bool:
        """Whether only programs on this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False

    def token(self) -> str | None:
        """The token of the file or the environment variable. Raises SettingsError for a missing or short one."""
        text = os.environ.get(TOKEN_VARIABLE, "")
        if self.token_file is not None:
            try:
                text = self.token_file.read_text().strip()
            except OSError as exc:
                raise SettingsError(f"{self.token_file} cannot be read ({exc.strerror}).") from exc
            except UnicodeDecodeError as exc:
                raise SettingsError(f"{self.token_file} holds no text; expected the token alone.") from exc
        if not text and self.token_file is None:
            return None
        if len(text) < MIN_TOKEN or not text.isascii() or any(c.isspace() for c in text):
            where = TOKEN_VARIABLE if self.token_file is None else str(self.token_file)
            raise SettingsError(
                f"{where}: expected a token of at least {MIN_TOKEN} ASCII characters without spaces, got {len(text)}; "
                "python -c 'import secrets; print(secrets.token_urlsafe())' makes one."
            )
        return text

    def checked(self) -> Self:
        """Itself, if it may be served. Raises SettingsError in one sentence if strangers could come in."""
        token = self.token()
        if (self.tls_cert is None) != (self.tls_key is None):
            raise SettingsError("--tls-cert and --tls-key belong together; give both or neither.")
        if not self.loopback and (self.tls_cert is None or token is None):
            raise SettingsError(
                f"others can reach {self.host}, so it needs --tls-cert, --tls-key and a token "
                f"(--token-file or {TOKEN_VARIABLE}); or stay on 127.0.0.1."
            )
        if self.push and not self.push.startswith(("http://", "https://")):
            raise SettingsError(f"--push {self.push}: expected an address such as https://media.example/whip/{{name}}.")
        return self
