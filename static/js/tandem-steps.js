// <tandem-steps>: add, remove and move the steps of a job plan, by dragging or by the buttons of each row.
// Each row carries its place and a mark for removal as plain fields, so that the form works without this element.
class Steps extends HTMLElement {
  connectedCallback() {
    this.list = this.querySelector("ol");
    this.total = document.querySelector(`[name=${this.dataset.prefix}-TOTAL_FORMS]`);
    this.adder = this.querySelector("[data-add]");
    this.adder.hidden = false;
    this.adder.addEventListener("click", () => this.add());
    for (const row of [...this.list.children]) {
      this.dress(row);
      // Spare rows stay in the form, so that its numbering has no gaps, and are shown when one is added.
      row.hidden = !this.field(row, "text").value && !row.querySelector(".field-wrong");
    }
    this.list.addEventListener("click", (event) => this.press(event));
    this.list.addEventListener("change", (event) => {
      if (event.target.name.endsWith("-kind")) this.fit(event.target.closest(".step-row"));
    });
    if (globalThis.Sortable) {
      globalThis.Sortable.create(this.list, {
        handle: "[data-handle]",
        animation: 120,
        onStart: () => (this.before = this.rows()),
        onEnd: () => this.renumber(this.before),
      });
    }
    this.renumber(this.rows());
  }

  rows() {
    return [...this.list.children].filter((row) => !row.hidden);
  }

  field(row, name) {
    return row.querySelector(`[name$="-${name}"]`);
  }

  dress(row) {
    row.querySelector("[data-handle]").hidden = !globalThis.Sortable;
    row.querySelector("[data-buttons]").hidden = false;
    row.querySelector("[data-place]").hidden = true;
    this.fit(row);
  }

  fit(row) {
    const kind = this.field(row, "kind").value;
    for (const part of row.querySelectorAll("[data-for]")) {
      part.hidden = part.dataset.for !== kind && !part.querySelector(".field-wrong");
    }
  }

  add() {
    const before = this.rows();
    const row = [...this.list.children].find((each) => each.hidden && !this.field(each, "DELETE").checked) ?? this.make();
    row.hidden = false;
    this.list.append(row);
    this.renumber(before);
    this.field(row, "text").focus();
  }

  make() {
    const number = Number(this.total.value);
    const holder = document.createElement("ol");
    holder.innerHTML = this.querySelector("template").innerHTML.replaceAll("__prefix__", String(number));
    this.total.value = String(number + 1);
    this.dress(holder.firstElementChild);
    return holder.firstElementChild;
  }

  press(event) {
    const button = event.target.closest("button");
    const row = event.target.closest(".step-row");
    if (!button || !row) return;
    const before = this.rows();
    const place = before.indexOf(row);
    if (button.matches("[data-up]") && place > 0) before[place - 1].before(row);
    else if (button.matches("[data-down]") && place < before.length - 1) before[place + 1].after(row);
    else if (button.matches("[data-remove]")) {
      this.field(row, "DELETE").checked = true;
      row.hidden = true;
      (before[place + 1] ?? before[place - 1])?.querySelector("input")?.focus();
    } else return;
    this.renumber(before);
    if (!row.hidden) button.focus();
    this.list.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // Conditions name a step by its number, so they follow the step that they meant.
  renumber(before) {
    const now = this.rows();
    const moved = new Map(before.map((row, place) => [String(place + 1), now.indexOf(row) + 1]));
    for (const [place, row] of now.entries()) {
      row.querySelector("[data-number]").textContent = String(place + 1);
      this.field(row, "ORDER").value = String(place + 1);
      const condition = this.field(row, "depends_on");
      if (condition.value) condition.value = moved.get(condition.value) || "";
      row.querySelector("[data-up]").disabled = place === 0;
      row.querySelector("[data-down]").disabled = place === now.length - 1;
    }
  }
}

customElements.define("tandem-steps", Steps);
