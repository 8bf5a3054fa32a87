// <tandem-theme>: light, dark or as the device; kept in a cookie so that the server draws the next page in it.
customElements.define(
  "tandem-theme",
  class extends HTMLElement {
    connectedCallback() {
      this.addEventListener("click", (event) => {
        const button = event.target.closest("button[data-theme]");
        if (!button) return;
        const theme = button.dataset.theme;
        const secure = location.protocol === "https:" ? "; Secure" : "";
        document.cookie = `tandem_theme=${theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
        document.documentElement.dataset.theme = theme;
        for (const each of this.querySelectorAll("button")) each.setAttribute("aria-pressed", String(each === button));
        document.dispatchEvent(new CustomEvent("tandem:theme"));
      });
    }
  },
);
