// <tandem-rows data-prefix="…">: adds one more empty row to a formset. Without it the form's own spare rows do.
customElements.define(
  "tandem-rows",
  class extends HTMLElement {
    connectedCallback() {
      const total = this.querySelector(`[name="${this.dataset.prefix}-TOTAL_FORMS"]`);
      const button = this.querySelector("button");
      button.hidden = false;
      button.addEventListener("click", () => {
        const row = this.querySelector("template").content.cloneNode(true);
        for (const part of row.querySelectorAll("*")) {
          for (const attribute of part.attributes) attribute.value = attribute.value.replaceAll("__prefix__", total.value);
        }
        total.value = Number(total.value) + 1;
        const list = this.querySelector(".rows-list");
        list.append(row);
        list.lastElementChild.querySelector("input").focus();
      });
    }
  },
);
