// <tandem-form>: one press saves once, and unsaved typing is not lost by a stray tap.
customElements.define(
  "tandem-form",
  class extends HTMLElement {
    connectedCallback() {
      const form = this.querySelector("form");
      let changed = Boolean(this.querySelector(".form-errors"));
      form.addEventListener("input", () => (changed = true));
      form.addEventListener("change", () => (changed = true));
      form.addEventListener("submit", () => {
        changed = false;
        // After this turn, so that the pressed button's own value is still sent.
        setTimeout(() => {
          for (const button of form.querySelectorAll("button:not([type=button])")) button.disabled = true;
        });
      });
      addEventListener("pageshow", () => {
        for (const button of form.querySelectorAll("button")) button.disabled = false;
      });
      this.leaving = (event) => {
        if (changed) event.preventDefault();
      };
      addEventListener("beforeunload", this.leaving);
      this.querySelector(".form-errors")?.focus();
    }

    disconnectedCallback() {
      removeEventListener("beforeunload", this.leaving);
    }
  },
);
