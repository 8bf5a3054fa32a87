// <tandem-menu> around a <details>: closes on Escape, on a click elsewhere, and when another menu opens.
customElements.define(
  "tandem-menu",
  class extends HTMLElement {
    connectedCallback() {
      this.details = this.querySelector("details");
      this.outside = (event) => {
        if (this.details.open && !this.contains(event.target)) this.details.open = false;
      };
      document.addEventListener("click", this.outside);
      this.addEventListener("keydown", (event) => this.key(event));
      this.addEventListener("focusout", (event) => {
        if (event.relatedTarget && !this.contains(event.relatedTarget)) this.details.open = false;
      });
    }

    disconnectedCallback() {
      document.removeEventListener("click", this.outside);
    }

    key(event) {
      if (!this.details.open) return;
      if (event.key === "Escape") {
        this.details.open = false;
        this.querySelector("summary").focus();
      } else if (event.target.matches("input, select")) {
        return; // arrows change what stands in a field
      } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        const items = [...this.querySelectorAll(".menu-sheet a, .menu-sheet button")];
        const step = event.key === "ArrowDown" ? 1 : -1;
        const next = items[(items.indexOf(document.activeElement) + step + items.length) % items.length];
        event.preventDefault();
        next?.focus();
      }
    }
  },
);
