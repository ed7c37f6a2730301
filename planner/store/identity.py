"""Who asks, and in which role; every function of the store that reads or writes takes one."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from planner.errors import ForbiddenError, StoreError

Role: TypeAlias = Literal["viewer", "editor", "approver"]
ROLES: tuple[Role, ...] = ("viewer", "editor", "approver")
"""Each may do what the ones before it may: look; save, share and review; approve."""

NAME_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Identity:
    """A user as whoever signed them in names them, and the role they have here."""

    user: str
    role: Role

    def __post_init__(self) -> None:
        """Refuse a role that is none, and a name that a reader of the trail could mistake."""
        readable_name(self.user, "The user's name")
        if self.role not in ROLES:
            raise StoreError(f"The role {self.role!r} is unknown; roles are {', '.join(ROLES)}.")

    def may(self, role: Role) -> bool:
        """Whether this user may do what `role` may."""
        return ROLES.index(self.role) >= ROLES.index(role)

    def require(self, role: Role, act: str) -> None:
        """Raise ForbiddenError unless `may(role)`; `act` is what was asked, as in "saving"."""
        if not self.may(role):
            raise ForbiddenError(f"{self.user} is {self.role} here, and {act} takes {role}.")


def readable_name(name: str, what: str) -> str:
    """The name as it is. Raises: StoreError when it is blank, long or holds hidden characters."""
    if not (name.strip() and name.isprintable() and len(name) <= NAME_CHARACTERS):
        raise StoreError(
            f"{what} {name[:NAME_CHARACTERS]!r} is refused: a name has 1 to "
            f"{NAME_CHARACTERS} printable characters."
        )
    return name
