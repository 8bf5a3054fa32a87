// <tandem-select-rows>: choosing rows of a table; the bar with actions appears with the first one.
customElements.define(
  "tandem-select-rows",
  class extends HTMLElement {
    connectedCallback() {
      this.all = this.querySelector("[data-all]");
      this.bar = this.querySelector(".bulk-bar");
      let last = null;
      this.addEventListener("click", (event) => {
        const box = event.target.closest("input[name=selected]");
        if (!box) return;
        if (event.shiftKey && last) {
          const boxes = this.boxes();
          const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
          for (const each of boxes.slice(from, to + 1)) each.checked = box.checked;
        }
        last = box;
      });
      this.addEventListener("change", (event) => {
        if (event.target === this.all) for (const box of this.boxes()) box.checked = this.all.checked;
        this.show();
      });
      addEventListener("pageshow", () => this.show());
      this.show();
    }

    boxes() {
      return [...this.querySelectorAll("input[name=selected]")];
    }

    show() {
      const boxes = this.boxes();
      const count = boxes.filter((box) => box.checked).length;
      this.bar.hidden = count === 0;
      this.all.checked = count > 0 && count === boxes.length;
      this.all.indeterminate = count > 0 && count < boxes.length;
      const words = count === 1 ? this.dataset.one : this.dataset.many;
      this.querySelector(".bulk-count").textContent = words.replace("%n", count);
      for (const box of boxes) box.closest("tr").classList.toggle("chosen", box.checked);
    }
  },
);
