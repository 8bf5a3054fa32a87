// <tandem-tree>: opens or closes every branch at once. The branches themselves are <details> and work without it.
customElements.define(
  "tandem-tree",
  class extends HTMLElement {
    connectedCallback() {
      for (const button of this.querySelectorAll("[data-open], [data-close]")) {
        button.hidden = false;
        button.addEventListener("click", () => {
          for (const branch of this.querySelectorAll("details")) branch.open = button.hasAttribute("data-open");
        });
      }
    }
  },
);
