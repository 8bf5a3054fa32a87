// "/" goes to the search box, except while typing; a form with data-confirm asks first.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const box = document.getElementById("search");
  if (!box || !box.checkVisibility()) return;
  event.preventDefault();
  box.focus();
  box.select();
});

document.addEventListener("submit", (event) => {
  const question = event.target.dataset?.confirm;
  if (question && !confirm(question)) event.preventDefault();
});

// A filter that is left open is no part of the question, so it stays out of the address.
document.addEventListener("htmx:configRequest", (event) => {
  if (!event.target.matches(".filters")) return;
  const asked = event.detail.formData;
  for (const name of new Set(asked.keys())) if (asked.getAll(name).every((value) => value === "")) asked.delete(name);
});

// After a part of the page was swapped, the tab that was chosen becomes the current one.
document.addEventListener("htmx:afterSwap", (event) => {
  const tab = event.detail.requestConfig?.elt?.closest?.(".tabs a");
  if (!tab) return;
  for (const each of tab.closest(".tabs").querySelectorAll("a")) each.removeAttribute("aria-current");
  tab.setAttribute("aria-current", "page");
  inSight(tab);
});

// On a phone a row of tabs is wider than the screen; the current one stands in the middle.
function inSight(tab) {
  const row = tab?.closest(".tabs");
  if (row) row.scrollLeft = tab.offsetLeft - row.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
}
inSight(document.querySelector(".tabs [aria-current]"));
