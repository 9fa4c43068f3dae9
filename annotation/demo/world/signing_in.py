"""Who can sign in, and the key for the first call. Making that key is the last thing that is done:
a world that has it is whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.db.models import QuerySet

from annotation.demo.world.cast import ADMIN, EVERYBODY, PASSWORD
from annotation.demo.world.ground import World, find
from core import embedded
from core.keys import create_key, revoke_key
from core.models import ApiKey, Environment, Project, User

NAME: Final = "first trace"
FILE: Final = "demo-key"


@dataclass(frozen=True, slots=True)
class Login:
    """A person of the demo as the command shows him or her."""

    name: str
    says: str
    email: str


@dataclass(frozen=True, slots=True)
class Logins:
    """What is printed when the world is there. `key` is the text of an API key."""

    people: tuple[Login, ...]
    password: str
    key: str


def is_sealed(project: Project) -> bool:
    """Whether the key for the first call has been made."""
    return ApiKey.objects.filter(project=project, name=NAME).exists()


def seal(world: World) -> None:
    """Make the key, and keep its text where the next start finds it."""
    if not is_sealed(world.project):
        _keep(_new(world.environment, world.cast[ADMIN]))


def logins() -> Logins:
    """The logins of a world that is whole. A key whose text is lost is replaced."""
    people = tuple(Login(person.name, person.says, person.email) for person in EVERYBODY)
    return Logins(people, PASSWORD, _kept() or _replaced())


def _path() -> Path:
    return embedded.home() / FILE


def _keep(text: str) -> str:
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text + "\n")
    return text


def _kept() -> str:
    """The text, where it is that of a key which still opens the door."""
    path = _path()
    text = path.read_text().strip() if path.is_file() else ""
    public = text.split("_")[-2] if text.count("_") >= 3 else ""
    return text if _live().filter(public_id=public).exists() else ""


def _live() -> QuerySet[ApiKey]:
    return ApiKey.objects.filter(project=find(), name=NAME, revoked_at=None)


def _replaced() -> str:
    project = find()
    admin = User.objects.get(email=ADMIN.email)
    for key in _live():
        revoke_key(key=key, actor=admin)
    return _keep(_new(Environment.objects.get(project=project, name="production"), admin))


def _new(environment: Environment, admin: User) -> str:
    scopes = ["ingest", "prompts", "read"]
    return create_key(environment=environment, name=NAME, scopes=scopes, actor=admin).text
