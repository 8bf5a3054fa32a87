// <tandem-search-select src="…">: a combobox over a plain <select>; typing asks the server for rows.
// The select stays the form's value, so that the form works the same with and without this element.
let serial = 0;

class SearchSelect extends HTMLElement {
  connectedCallback() {
    if (this.input) return;
    this.select = this.querySelector("select");
    serial += 1;
    this.input = document.createElement("input");
    this.input.type = "text";
    this.input.id = this.select.id;
    this.input.className = "form-control";
    this.input.autocomplete = "off";
    this.input.placeholder = this.dataset.prompt;
    for (const name of ["aria-describedby", "aria-invalid", "required"]) {
      if (this.select.hasAttribute(name)) this.input.setAttribute(name, this.select.getAttribute(name));
    }
    this.input.setAttribute("role", "combobox");
    this.input.setAttribute("aria-autocomplete", "list");
    this.input.setAttribute("aria-expanded", "false");
    this.list = document.createElement("ul");
    this.list.id = `search-select-${serial}`;
    this.list.className = "options";
    this.list.setAttribute("role", "listbox");
    const label = document.querySelector(`label[for="${this.select.id}"]`);
    if (label) {
      label.id ||= `${this.select.id}_label`;
      this.list.setAttribute("aria-labelledby", label.id);
    }
    this.list.hidden = true;
    this.input.setAttribute("aria-controls", this.list.id);
    this.select.removeAttribute("id");
    this.select.removeAttribute("required");
    this.select.hidden = true;
    this.append(this.input, this.list);
    this.restore();

    this.input.addEventListener("focus", () => this.input.select());
    this.input.addEventListener("click", () => this.ask());
    this.input.addEventListener("input", () => this.wait());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => this.leave());
    // pointerdown comes before blur, so that a tap on a row is not lost to the closing list.
    this.list.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const row = event.target.closest("[role=option]");
      if (row) this.take(row);
    });
  }

  restore() {
    const chosen = this.select.selectedOptions[0];
    this.input.value = chosen?.value ? chosen.textContent.trim() : "";
  }

  wait() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), 180);
  }

  async ask() {
    this.request?.abort();
    this.request = new AbortController();
    const chosen = this.select.selectedOptions[0]?.textContent.trim() ?? "";
    const text = this.input.value === chosen ? "" : this.input.value;
    const url = new URL(this.getAttribute("src"), location.href);
    url.searchParams.set("q", text);
    try {
      const answer = await fetch(url, { signal: this.request.signal, headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(answer.statusText);
      this.show((await answer.json()).results);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.show(this.local(text));
    }
  }

  local(text) {
    const wanted = text.toLowerCase();
    return [...this.select.options]
      .filter((option) => option.value && option.textContent.toLowerCase().includes(wanted))
      .slice(0, 20)
      .map((option) => ({ value: option.value, label: option.textContent.trim(), detail: "" }));
  }

  show(rows) {
    this.list.replaceChildren(
      ...rows.map((row, place) => {
        const item = document.createElement("li");
        item.id = `${this.list.id}-${place}`;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", "false");
        item.dataset.value = row.value;
        item.dataset.label = row.label;
        item.append(row.label);
        if (row.detail) {
          const detail = document.createElement("small");
          detail.textContent = row.detail;
          item.append(detail);
        }
        return item;
      }),
    );
    if (!rows.length) {
      const none = document.createElement("li");
      none.className = "options-none";
      none.setAttribute("role", "presentation");
      none.textContent = this.dataset.none;
      this.list.append(none);
    }
    this.open(true);
  }

  open(open) {
    this.list.hidden = !open;
    this.input.setAttribute("aria-expanded", String(open));
    if (!open) this.input.removeAttribute("aria-activedescendant");
  }

  key(event) {
    const rows = [...this.list.querySelectorAll("[role=option]")];
    const here = rows.findIndex((row) => row.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (this.list.hidden) return this.ask();
      const next = rows[(here + (event.key === "ArrowDown" ? 1 : -1) + rows.length) % rows.length];
      if (next) this.mark(next);
    } else if (event.key === "Enter" && !this.list.hidden && here >= 0) {
      event.preventDefault();
      this.take(rows[here]);
    } else if (event.key === "Escape" && !this.list.hidden) {
      event.stopPropagation();
      this.restore();
      this.open(false);
    }
  }

  mark(row) {
    for (const each of this.list.querySelectorAll("[role=option]")) each.setAttribute("aria-selected", String(each === row));
    this.input.setAttribute("aria-activedescendant", row.id);
    row.scrollIntoView({ block: "nearest" });
  }

  take(row) {
    this.choose(row.dataset.value, row.dataset.label);
    this.open(false);
  }

  choose(value, label) {
    if (![...this.select.options].some((option) => option.value === value)) {
      this.select.add(new Option(label, value));
    }
    this.select.value = value;
    this.restore();
    for (const name of ["input", "change"]) this.select.dispatchEvent(new Event(name, { bubbles: true }));
  }

  leave() {
    clearTimeout(this.timer);
    this.open(false);
    if (!this.input.value && [...this.select.options].some((option) => !option.value)) this.choose("", "");
    else this.restore();
  }
}

if (!customElements.get("tandem-search-select")) customElements.define("tandem-search-select", SearchSelect);
