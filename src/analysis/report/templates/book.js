(() => {
  const root = document.documentElement;
  const all = (selector) => [...document.querySelectorAll(selector)];

  // Light or dark, remembered where the browser lets a file remember.
  const themeButton = document.getElementById("theme");
  const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : systemIsDark.matches);
  const nameTheme = () => { themeButton.textContent = isDark() ? themeButton.dataset.light : themeButton.dataset.dark; };
  themeButton.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("moshtari-theme", root.dataset.theme); } catch {}
    nameTheme();
  });
  systemIsDark.addEventListener("change", nameTheme);
  nameTheme();

  // All code at once.
  const codeButton = document.getElementById("all-code");
  codeButton.addEventListener("click", () => {
    const show = codeButton.getAttribute("aria-pressed") !== "true";
    codeButton.setAttribute("aria-pressed", show);
    all("details.code").forEach((d) => { d.open = show; });
  });
  all(".controls").forEach((c) => { c.hidden = false; });

  // The table of contents is open beside the text and closed above it.
  const contents = document.querySelector(".contents details");
  const isWide = matchMedia("(min-width: 64rem)");
  const place = () => { contents.open = isWide.matches; };
  isWide.addEventListener("change", place);
  place();
  contents.addEventListener("click", (event) => {
    if (!isWide.matches && event.target.closest("a")) contents.open = false;
  });

  // Where the reader is.
  const links = all(".contents a");
  const places = links.map((a) => document.getElementById(a.getAttribute("href").slice(1)));
  let waiting = false;
  const mark = () => {
    waiting = false;
    let here = 0;
    places.forEach((p, i) => { if (p && p.getBoundingClientRect().top < 140) here = i; });
    links.forEach((a, i) => {
      if (i === here) a.setAttribute("aria-current", "true"); else a.removeAttribute("aria-current");
    });
    all(".contents .chapter-entry").forEach((li) => li.classList.toggle("here", li.contains(links[here])));
  };
  const onScroll = () => { if (!waiting) { waiting = true; requestAnimationFrame(mark); } };
  addEventListener("scroll", onScroll, { passive: true });
  root.classList.add("follows");
  mark();

  // What is wider than its box can be reached and scrolled by keyboard.
  const boxes = all(".scroll, pre");
  const reach = () => boxes.forEach((b) => {
    if (b.scrollWidth > b.clientWidth + 1) b.tabIndex = 0; else b.removeAttribute("tabindex");
  });
  addEventListener("resize", reach);
  addEventListener("load", reach);
})();
