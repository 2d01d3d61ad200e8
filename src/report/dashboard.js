"use strict";
(() => {
  const table = document.getElementById("findings");
  if (!table) return;
  const find = (name) => document.getElementById(name);
  const body = table.tBodies[0];
  const heads = Array.from(table.tHead.rows[0].cells);
  const [search, rule, kind, sort, shown, more] = ["search", "rule", "kind", "sort", "shown", "more"].map(find);
  const classes = { error: "e", warning: "w", new: "n", old: "o" };
  // So many rows at a time; as in the style, which has the first ones shown before this runs.
  const portion = 200;
  let limit = portion;
  let ascending = true;

  // Read when somebody first filters or sorts: the page opens without it.
  let read = null;
  let sorted = null;
  const rows = () => {
    read ??= Array.from(body.rows, (row, at) => {
      const [path, place, code, message] = Array.from(row.cells, (cell) => cell.textContent);
      const text = `${path} ${place} ${code} ${message}`.toLowerCase();
      return { row, at, path, rule: code.slice(0, 5), message, text, fits: true };
    });
    sorted ??= read;
    return read;
  };

  const tell = (count, all) => {
    const listed = Math.min(count, limit);
    shown.value = listed < count ? `${listed} of ${count} found, ${all} in all` : `${count} of ${all} shown`;
    more.hidden = listed === count;
  };
  const list = () => {
    rows();
    let count = 0;
    for (const entry of sorted) {
      entry.row.hidden = !entry.fits || count >= limit;
      count += entry.fits;
    }
    table.classList.remove("first");
    tell(count, sorted.length);
  };
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = classes[kind.value];
    for (const entry of rows()) {
      entry.fits = (!rule.value || entry.rule === rule.value)
        && (!wanted || entry.row.classList.contains(wanted))
        && words.every((word) => entry.text.includes(word));
    }
    limit = portion;
    list();
  };

  // They come by file and place; the order of equals stays.
  const order = () => {
    const key = sort.value;
    const turn = ascending ? 1 : -1;
    const compare = key === "path"
      ? (one, other) => one.at - other.at
      : (one, other) => (one[key] < other[key] ? -1 : one[key] > other[key] ? 1 : 0);
    sorted = [...rows()].sort((one, other) => turn * compare(one, other) || one.at - other.at);
    const all = document.createDocumentFragment();
    for (const entry of sorted) all.append(entry.row);
    list();
    body.append(all);
    mark();
  };
  const mark = () => {
    for (const head of heads) {
      if (head.dataset.key === sort.value) {
        head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      } else {
        head.removeAttribute("aria-sort");
      }
    }
  };

  for (const head of heads) {
    const key = head.dataset.key;
    if (key === "place") continue;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => {
      ascending = sort.value === key ? !ascending : true;
      sort.value = key;
      order();
    });
    head.replaceChildren(button);
  }
  sort.addEventListener("change", () => { ascending = true; order(); });
  for (const control of [search, rule, kind]) control.addEventListener("input", filter);
  const [next, all] = more.querySelectorAll("button");
  next.addEventListener("click", () => { limit += 5 * portion; list(); });
  all.addEventListener("click", () => { limit = Infinity; list(); });
  // Paper has no button.
  let before = portion;
  addEventListener("beforeprint", () => { before = limit; if (read) { limit = Infinity; list(); } });
  addEventListener("afterprint", () => { limit = before; if (read) list(); });
  find("tools").addEventListener("submit", (event) => event.preventDefault());
  find("tools").hidden = false;
  mark();
  tell(body.rows.length, body.rows.length);
})();
