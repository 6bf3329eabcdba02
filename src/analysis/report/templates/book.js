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

  // Tables: each can be saved as CSV; a long one can be searched and sorted.
  const LONG = 12;
  const say = document.body.dataset;
  const latin = (text) => text.replace(/[۰-۹]/g, (d) => "۰۱۲۳۴۵۶۷۸۹".indexOf(d)).replace(/٬/g, ",").replace(/٫/g, ".");
  const plain = (text) => text.replace(/[\u200e\u200f\u2066-\u2069]/g, "").replace(/\s+/g, " ").trim();
  const words = (text) => latin(plain(text)).replace(/ي/g, "ی").replace(/ك/g, "ک").replace(/\u200c/g, "").toLowerCase();
  const rowsOf = (table) => [...table.tBodies].flatMap((body) => [...body.rows]);

  // The number that a cell shows, whatever its digits; NaN where it shows more than one number, or none.
  const numberIn = (text) => {
    const [, figure, percent] = latin(plain(text)).replace(/−/g, "-").match(/^([+-]?[\d,]*\.?\d+)\s?([%٪]?)$/) ?? [];
    if (figure === undefined) return NaN;
    const digits = figure.replace(/,/g, "");
    return percent ? Number((digits / 100).toFixed((digits.split(".")[1] ?? "").length + 2)) : Number(digits);
  };

  // A cell as CSV. A text that a spreadsheet would take for a formula is kept from being one.
  const field = (cell) => {
    const number = cell.classList.contains("number") ? numberIn(cell.textContent) : NaN;
    if (!Number.isNaN(number)) return String(number);
    const text = plain(cell.textContent);
    return `"${(/^[=+\-@|]/.test(text) && text.length > 1 ? "'" : "") + text.replace(/"/g, '""')}"`;
  };
  const csv = (table) => {
    const grid = [...table.rows].map(() => []);
    [...table.rows].forEach((row, y) => [...row.cells].forEach((cell) => {
      let x = 0;
      while (grid[y][x] !== undefined) x += 1;
      for (let j = 0; j < cell.rowSpan && y + j < grid.length; j += 1) {
        for (let i = 0; i < cell.colSpan; i += 1) grid[y + j][x + i] = field(cell);
      }
    }));
    return `\ufeff${grid.map((row) => row.join(",")).join("\r\n")}\r\n`;
  };
  const save = (table, name) => {
    const address = URL.createObjectURL(new Blob([csv(table)], { type: "text/csv;charset=utf-8" }));
    const link = Object.assign(document.createElement("a"), { href: address, download: `${name}.csv` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  };

  const make = (tag, properties, ...inside) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...inside);
    return element;
  };
  const addSearch = (table, tools, label) => {
    const count = make("span", { className: "count" });
    count.setAttribute("role", "status");
    const search = make("input", { type: "search", placeholder: say.search });
    search.setAttribute("aria-label", `${say.search}: ${label}`);
    const figure = new Intl.NumberFormat(root.lang);
    const found = () => {
      const asked = words(search.value).split(" ").filter(Boolean);
      const rows = rowsOf(table);
      rows.forEach((row) => { const text = words(row.textContent); row.hidden = !asked.every((word) => text.includes(word)); });
      const left = rows.filter((row) => !row.hidden).length;
      count.textContent = asked.length ? say.found.replace("{n}", figure.format(left)).replace("{all}", figure.format(rows.length)) : "";
    };
    search.addEventListener("input", found);
    tools.append(search, count);
  };
  const addSorting = (table) => {
    const heads = [...table.tHead.rows].at(-1).cells;
    const order = new Intl.Collator(root.lang, { numeric: true });
    const value = (row, x) => row.cells[x]?.textContent ?? "";
    [...heads].forEach((head, x) => {
      if (!head.textContent.trim()) return;
      const button = make("button", { type: "button", className: "sort" }, ...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") !== "ascending";
        [...heads].forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const sorted = rowsOf(table).map((row) => [row, numberIn(value(row, x)), plain(value(row, x))]);
        const empty = ([, number, text]) => Number.isNaN(number) && /^(|–|—|-|…|nan|none)$/i.test(text);
        sorted.sort((a, b) => {
          if (empty(a) || empty(b)) return empty(a) - empty(b);  // what is not known stands last, either way
          const both = Number.isNaN(a[1]) || Number.isNaN(b[1]) ? order.compare(latin(a[2]), latin(b[2])) : a[1] - b[1];
          return up ? both : -both;
        });
        table.tBodies[0].append(...sorted.map(([row]) => row));
      });
    });
  };
  all("figure.table").forEach((box, i) => {
    const table = box.querySelector("table");
    const rows = rowsOf(table);
    if (!rows.length || !table.tHead) return;
    const label = box.querySelector(".scroll").getAttribute("aria-label");
    const tools = make("div", { className: "tools" });
    const isRegular = table.tBodies.length === 1 && rows.every((row) => row.cells.length === rows[0].cells.length);
    if (rows.length > LONG && isRegular) {
      addSearch(table, tools, label);
      addSorting(table);
    }
    const button = make("button", { type: "button", className: "save" }, "CSV");
    button.setAttribute("aria-label", `${say.save}: ${label}`);
    const name = label.normalize("NFC").replace(/[^\p{L}\p{M}\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 60);
    button.addEventListener("click", () => save(table, `${i + 1}-${name}`));
    tools.append(button);
    box.querySelector(".scroll").before(tools);
  });

  // What is wider than its box can be reached and scrolled by keyboard.
  const boxes = all(".scroll, pre");
  const reach = () => boxes.forEach((b) => {
    if (b.scrollWidth > b.clientWidth + 1) b.tabIndex = 0; else b.removeAttribute("tabindex");
  });
  addEventListener("resize", reach);
  addEventListener("load", reach);
})();
