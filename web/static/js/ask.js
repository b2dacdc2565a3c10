// A question before something is stopped or deleted. Without JavaScript the form is simply sent.

export function askBefore(root) {
  for (const form of root.querySelectorAll("form[data-confirm]")) {
    form.addEventListener("submit", (event) => {
      const dialog = document.getElementById(form.dataset.confirm);
      event.preventDefault();
      dialog.returnValue = "";
      dialog.onclose = () => dialog.returnValue === "yes" && form.submit();
      dialog.showModal();
    });
  }
}
