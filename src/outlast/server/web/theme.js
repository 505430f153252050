// Sets the colours before the first paint; a classic script, because modules run too late for that.
{
  const chosen = localStorage.getItem("outlast.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
}
