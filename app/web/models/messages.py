"""Models: messages that are left for people, and the inbox that they wait in."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from app.accounts.message_proofs import LONGEST_NONCE
from app.accounts.messages import CONTACT_MOST, NAME_MOST, TEXT_MOST
from app.web.models.base import Answer, Body, Moment, PageOf, Stored, form


class SolvedProof(Body):
    challenge: str
    nonce: Annotated[str, form(type="string", pattern=f"^[A-Za-z0-9_-]{{1,{LONGEST_NONCE}}}$")]


class NewMessage(Body):
    text: Annotated[Any, form(type="string", minLength=1, maxLength=TEXT_MOST)]
    name: Annotated[Any, form(type=["string", "null"], maxLength=NAME_MOST)] = None
    contact: Annotated[Any, form(type=["string", "null"], maxLength=CONTACT_MOST)] = None
    proof: SolvedProof | None = Field(None, description="Of work: a faster lane, never needed.")


class LeftMessage(Answer):
    detail: str


class Challenge(Answer):
    challenge: str
    bits: int = Field(description="With how many zero bits the digest has to begin.")
    expires_at: Moment


class HowToLeave(Answer):
    text_most: int = Field(description="Characters.")
    name_most: int
    contact_most: int
    proof: Challenge


class MessageBox(Answer):
    is_open: bool = Field(description="Whether anyone may leave a message.")
    unread_count: int


class NewMessageBox(Body):
    is_open: bool


class MessageInList(Answer):
    id: int
    received_at: Stored
    came_by: Literal["page", "api", "assistant"]
    client: str | None = Field(description="What the program that sent it calls itself.")
    name: str | None
    contact: str | None
    is_read: bool
    has_proof: bool
    instruction_like_passages: int = Field(description="Passages that read like orders to an assistant.")
    excerpt: str


class MessagePage(PageOf[MessageInList]):
    pass


class Message(Answer):
    id: int
    received_at: Stored
    came_by: Literal["page", "api", "assistant"]
    client: str | None
    name: str | None
    contact: str | None
    is_read: bool
    has_proof: bool
    instruction_like_passages: int
    text: str
    notice: str = Field(description="What an assistant has to know of it.")


class ChangedMessage(Body):
    is_read: bool


class Block(Answer):
    id: int
    what: Literal["network", "contact"]
    label: str | None = Field(description="How the sender of the message called themselves.")
    created_at: Stored


class BlockPage(PageOf[Block]):
    pass


class MessageForm(Body):
    text: Annotated[str, form(type="string", minLength=1, maxLength=TEXT_MOST)]
    name: Annotated[str, form(type="string", maxLength=NAME_MOST)] = ""
    contact: Annotated[str, form(type="string", maxLength=CONTACT_MOST)] = ""
