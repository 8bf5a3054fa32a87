// <tandem-search-many>: chips for the chosen rows of a <select multiple>, and a search box that adds one.
// The select stays the form's value, so that the form works the same with and without this element.
class SearchMany extends HTMLElement {
  connectedCallback() {
    if (this.chips) return;
    this.select = this.querySelector("select[multiple]");
    this.chips = document.createElement("ul");
    this.chips.className = "chosen-many";
    this.select.hidden = true;
    this.append(this.chips);
    const box = this.querySelector("template").content.cloneNode(true);
    this.adder = box.querySelector("select");
    this.adder.id = this.select.id;
    for (const name of ["aria-describedby", "aria-invalid"]) {
      if (this.select.hasAttribute(name)) this.adder.setAttribute(name, this.select.getAttribute(name));
    }
    this.select.removeAttribute("id");
    this.append(box);
    this.adder.addEventListener("change", (event) => {
      event.stopPropagation();
      this.add();
    });
    this.draw();
  }

  add() {
    const taken = this.adder.selectedOptions[0];
    if (!taken?.value) return;
    let option = [...this.select.options].find((each) => each.value === taken.value);
    if (!option) {
      option = new Option(taken.textContent, taken.value);
      this.select.add(option);
    }
    option.selected = true;
    this.adder.value = "";
    this.querySelector("tandem-search-select").restore();
    this.tell();
  }

  remove(option) {
    option.selected = false;
    this.tell();
    this.querySelector("input[role=combobox]").focus();
  }

  tell() {
    this.draw();
    this.select.dispatchEvent(new Event("change", { bubbles: true }));
  }

  draw() {
    this.chips.replaceChildren(
      ...[...this.select.selectedOptions].map((option) => {
        const item = document.createElement("li");
        item.append(option.textContent.trim());
        const button = document.createElement("button");
        button.type = "button";
        button.setAttribute("aria-label", `${this.dataset.remove}: ${option.textContent.trim()}`);
        button.textContent = "×";
        button.addEventListener("click", () => this.remove(option));
        item.append(button);
        return item;
      }),
    );
  }
}

customElements.define("tandem-search-many", SearchMany);
