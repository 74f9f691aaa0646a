"""What does a browser do with the admin, in this process? It keeps cookies, follows 303, sends forms.

`Browser(site).sign_in("ann")`, `.get("/manage/...")`, `.submit(page, button="...", field="typed")`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import html5lib

from tests.web.conftest import PASSWORD, Site

TLS = "https://daemon.example"
Element = Any


@dataclass
class PageSeen:
    """An answer as a browser has it: its address, its elements, its words."""

    url: str
    status: int
    headers: Any
    text: str

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def root(self) -> Element:
        return html5lib.parse(self.text, treebuilder="etree", namespaceHTMLElements=False)

    @property
    def words(self) -> str:
        """The words of the page, without the calls of the API that it shows."""
        body = self.root.find("body")
        for parent in list(body.iter()):
            for child in list(parent):
                if child.get("class") == "calls" or child.tag == "script":
                    parent.remove(child)
        return words_of(body)

    @property
    def title(self) -> str:
        return words_of(next(self.root.iter("h1")))

    @property
    def links(self) -> dict[str, str]:
        """Where the words of a link lead."""
        return {words_of(each): urljoin(self.url, each.get("href")) for each in self.root.iter("a")}

    def forms(self) -> Iterator[Element]:
        yield from self.root.iter("form")

    def form_with(self, button: str) -> Element:
        """The only form with a button of these words."""
        found = [
            form for form in self.forms() if any(words_of(each) == button for each in form.iter("button"))
        ]
        assert len(found) == 1, (button, [words_of(each) for each in self.root.iter("button")])
        return found[0]


def words_of(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def fields_of(form: Element) -> list[tuple[str, str]]:
    """What a browser would send of a form that no one has touched."""
    found: list[tuple[str, str]] = []
    for each in form.iter():
        name = each.get("name")
        if each.tag == "textarea" and name:
            text = "".join(each.itertext())
            found.append((name, text[1:] if text.startswith("\n") else text))
        elif each.tag == "select" and name:
            options = list(each.iter("option"))
            chosen = [option for option in options if option.get("selected") is not None] or options[:1]
            found += [(name, option.get("value", words_of(option))) for option in chosen]
        elif each.tag == "input" and name:
            kind = each.get("type", "text")
            is_left_out = kind in ("checkbox", "radio") and each.get("checked") is None
            if not is_left_out and kind not in ("file", "submit"):
                found.append((name, each.get("value", "on" if kind == "checkbox" else "")))
    return found


class Browser:
    """One browser, with cookies of its own."""

    def __init__(self, site: Site, base: str = TLS) -> None:
        self._site = site
        self.base = base
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, url: str, *, follow: bool = True, **more: Any) -> PageSeen:
        """Send a request; ``follow`` goes on to where a 303 leads."""
        url = urljoin(self.base + "/", url)
        headers = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", **more.pop("headers", {})}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self._site.client.cookies.clear()
        answer = self._site.client.request(method, url, headers=headers, follow_redirects=False, **more)
        for name, value in answer.headers.multi_items():
            if name.lower() == "set-cookie":
                self._keep(value)
        if follow and answer.status_code == 303:
            return self.ask("GET", urljoin(url, answer.headers["location"]))
        return PageSeen(url, answer.status_code, answer.headers, answer.text)

    def _keep(self, text: str) -> None:
        name, _, rest = text.partition("=")
        value = rest.partition(";")[0].strip('"')
        if "Max-Age=0" in text:
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value

    def get(self, path: str, **more: Any) -> PageSeen:
        return self.ask("GET", path, **more)

    def submit(
        self,
        page: PageSeen,
        button: str,
        named: dict[str, Any] | None = None,
        *,
        follow: bool = True,
        files: Any = None,
        headers: dict[str, str] | None = None,
        **typed: str | list[str] | None,
    ) -> PageSeen:
        """Send the form with this button: its own fields, with what was typed; None leaves a field out.

        ``named``: what was typed into fields whose names are none of Python's.
        """
        typed = {**typed, **(named or {})}
        form = page.form_with(button)
        fields = [(name, value) for name, value in fields_of(form) if name not in typed]
        for name, value in typed.items():
            values = value if isinstance(value, list) else [] if value is None else [value]
            fields += [(name, each) for each in values]
        pressed = next(each for each in form.iter("button") if words_of(each) == button)
        if pressed.get("name"):
            fields.append((pressed.get("name"), pressed.get("value", "")))
        data: dict[str, list[str]] = {}
        for name, each in fields:
            data.setdefault(name, []).append(each)
        target = urljoin(page.url, pressed.get("formaction") or form.get("action") or page.url)
        sent = {"Origin": self.base, "Sec-Fetch-Site": "same-origin", **(headers or {})}
        return self.ask("POST", target, follow=follow, data=data, files=files, headers=sent)

    def sign_in(self, username: str, password: str = PASSWORD, otp: str = "") -> PageSeen:
        """Sign in by the form; the page that comes then."""
        page = self.get("/manage/sign-in")
        return self.submit(page, "Sign in", username=username, password=password, otp=otp)


def signed_in(site: Site, username: str, base: str = TLS) -> Browser:
    """A browser whose person has signed in."""
    browser = Browser(site, base)
    assert browser.sign_in(username).status == 200
    return browser
