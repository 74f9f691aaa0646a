// Sizes of what is chosen or typed: says in the form what the server would refuse, before it is sent.
"use strict";
(function () {
  function over(bytes, element) {
    return element.dataset.mostBytes !== undefined && bytes > Number(element.dataset.mostBytes);
  }
  document.addEventListener("change", function (event) {
    const input = event.target;
    if (input.type !== "file" || input.dataset.mostBytes === undefined) return;
    const isOver = Array.from(input.files).some((file) => over(file.size, input));
    input.setCustomValidity(isOver ? input.dataset.tooLarge : "");
    if (isOver) input.reportValidity();
  });
  document.addEventListener("input", function (event) {
    if (event.target.tagName === "TEXTAREA") event.target.setCustomValidity("");
  });
  document.addEventListener("submit", function (event) {
    const form = event.target;
    if (form.dataset.mostBytes === undefined) return;
    const typed = new URLSearchParams(new FormData(form)).toString();
    if (!over(typed.length, form)) return;
    event.preventDefault();
    event.stopPropagation();
    const texts = Array.from(form.querySelectorAll("textarea"));
    const longest = texts.reduce((a, b) => (b.value.length > a.value.length ? b : a));
    longest.setCustomValidity(form.dataset.tooLarge);
    longest.reportValidity();
  }, true);
})();
