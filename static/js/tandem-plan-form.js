// <tandem-plan-form>: shows only the fields that the chosen pattern of a plan leaves in force.
// data-PATTERN names them; without this element all fields stand there and the server reads the right ones.
class PlanForm extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.names = new Set(Object.values(this.dataset).flatMap((names) => names.split(" ")));
    this.form.addEventListener("change", () => this.show());
    this.show();
  }

  show() {
    const pattern = this.form.querySelector("[name=pattern]:checked")?.value ?? "interval";
    // dataset turns data-last_day into last_day, so a pattern's own name is its key.
    const wanted = new Set((this.dataset[pattern] ?? "").split(" "));
    for (const name of this.names) {
      const control = this.form.querySelector(`[name=${name}]`);
      const wrong = control?.closest(".field")?.classList.contains("field-wrong");
      if (control) control.closest(".field").hidden = !wanted.has(name) && !wrong;
    }
  }
}

customElements.define("tandem-plan-form", PlanForm);
