// Sets the chosen theme before anything is painted; the module graph comes later.
document.documentElement.dataset.theme = localStorage.getItem("mmsearch-theme") ?? "";
