// Before anything is painted: the reader's choice of light or dark, if one was made.
try {
  const theme = localStorage.getItem("moshtari-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {}
