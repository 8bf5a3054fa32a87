// <tandem-print>: shows its button where the browser can print.
customElements.define(
  "tandem-print",
  class extends HTMLElement {
    connectedCallback() {
      const button = this.querySelector("button");
      button.hidden = false;
      button.addEventListener("click", () => print());
    }
  },
);
