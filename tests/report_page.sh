#!/bin/sh
# Opens the page of `gpuguard report` in a real browser: what it shows, on a desktop, on a phone, in
# the dark and in print, its table by keyboard, and how long ten thousand problems take. Not among the
# default tests: it needs Chromium (Debian's `chromium`) and Python with the package `playwright`.
#
#   tests/report_page.sh FOLDER_FOR_SCREENSHOTS [PROGRAM]
#
# CHROMIUM and PYTHON name others than those on PATH.
set -eu

folder=${1:?a folder for the screenshots}
program=${2:-target/debug/gpuguard}
here=$(cd "$(dirname "$0")/.." && pwd)
case $program in /*) ;; *) program=$here/$program ;; esac
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
chromium=${CHROMIUM:-$(command -v chromium)}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

export GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=ada@example.org
export GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@example.org
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1

# The founding project: forty files at a tag, corrected in steps, and a hostile file since then.
mkdir "$scratch/mission"
cd "$scratch/mission"
git init --quiet --initial-branch=main
cp -R "$here/tests/mission/files/." .
cp "$here/src/policy/preset_rtx3090.toml" gpuguard.toml
git add .
GIT_COMMITTER_DATE=2026-11-01T09:00:00Z git commit --quiet -m 'Before the correction'
git tag v-before
day=2
find . -name '*.py' | sort | head -28 | while read -r file; do
    "$program" -q fix "$file" >/dev/null 2>&1 || true
    if [ -z "$(git status --porcelain)" ]; then continue; fi
    git add .
    "$program" hook run pre-commit >/dev/null 2>&1 || true
    GIT_COMMITTER_DATE=$(printf '2026-11-%02dT09:00:00Z' "$day") \
        git commit --quiet -m "Correct ${file#./} <script>document.title='wrong'</script>"
    day=$((day + 1))
done
printf 'import torch\ntorch.cuda.set_device(1)  # </script><script>document.title="wrong"</script>\n' >new.py
"$program" backup verify --all >/dev/null 2>&1 || true
"$program" -q report --since v-before --output "$scratch/mission.html"

# Ten thousand problems.
mkdir "$scratch/many"
cd "$scratch/many"
git init --quiet --initial-branch=main
cp "$here/src/policy/preset_rtx3090.toml" gpuguard.toml
number=0
while [ "$number" -lt 100 ]; do
    mkdir -p "packages/training/experiments/run_$number"
    awk -v number="$number" 'BEGIN {
        print "import os\nos.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\""
        print "os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nimport torch"
        for (line = 0; line < 100; line++)
            print "model_" line " = load_checkpoint(\"weights/run-" number ".pt\").to(\"cuda:1\")"
    }' >"packages/training/experiments/run_$number/evaluate.py"
    number=$((number + 1))
done
"$program" -q report --output "$scratch/many.html"

"${PYTHON:-python3}" - "$chromium" "$scratch" "$folder" <<'PYTHON'
import pathlib
import sys

from playwright.sync_api import sync_playwright

chromium, scratch, folder = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
complaints = []


def opened(browser, name, **options):
    page = browser.new_context(**options).new_page()
    page.on("console", lambda message: complaints.append(f"{name}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(f"{name}: {error}"))
    page.on("request", lambda request: request.url.startswith("file:") or complaints.append(request.url))
    page.goto((scratch / f"{name}.html").as_uri())
    return page


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=chromium)
    desktop = {"width": 1280, "height": 900}
    phone = {"width": 390, "height": 844}
    for name, options in {
        "desktop": {"viewport": desktop},
        "desktop-dark": {"viewport": desktop, "color_scheme": "dark"},
        "phone": {"viewport": phone, "device_scale_factor": 2, "is_mobile": True},
        "phone-dark": {"viewport": phone, "device_scale_factor": 2, "is_mobile": True, "color_scheme": "dark"},
    }.items():
        page = opened(browser, "mission", **options)
        assert "wrong" not in page.title(), "a foreign script ran"
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{name} is {wide} pixels too wide"
        page.screenshot(path=folder / f"{name}.png", full_page=True)
    page = opened(browser, "mission", viewport=desktop)
    page.emulate_media(media="print")
    page.screenshot(path=folder / "print.png", full_page=True)
    page.pdf(path=folder / "print.pdf", format="A4", prefer_css_page_size=True)

    # By keyboard alone.
    page = opened(browser, "mission", viewport=desktop)
    shown = lambda: page.locator("#findings tbody tr:visible").count()
    everything = shown()
    page.focus("#search")
    page.keyboard.type("new.py set_device")
    assert 0 < shown() < everything, "the search finds nothing, or everything"
    assert page.locator("#shown").text_content().startswith(f"{shown()} of "), "the count is not told"
    page.fill("#search", "")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    first = page.locator("#rule").input_value()
    assert first and 0 < shown() < everything, "the rule is not chosen by keyboard"
    page.select_option("#rule", "")
    page.focus("#findings th.rule button")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert page.get_attribute("#findings th.rule", "aria-sort") == "descending"
    codes = [text[:5] for text in page.locator("#findings td:nth-child(3)").all_text_contents()]
    assert codes == sorted(codes, reverse=True), "it is not sorted"
    page.select_option("#kind", "new")
    assert 0 < shown() < everything, "new and old are not told apart"

    # Without the script all of it is there to read.
    page = opened(browser, "mission", viewport=desktop, java_script_enabled=False)
    assert page.locator("#findings tbody tr").count() == everything

    size = (scratch / "many.html").stat().st_size
    times = []
    for _ in range(5):
        page = opened(browser, "many", viewport=desktop)
        page.wait_for_load_state("load")
        # To the first frame after everything is laid out.
        times.append(page.evaluate("""new Promise(done => requestAnimationFrame(() => setTimeout(() =>
            done(performance.now()), 0)))"""))
        filtered = page.evaluate("""() => { const start = performance.now(); const box = document.getElementById('search');
            box.value = 'run_42'; box.dispatchEvent(new Event('input')); document.body.offsetHeight;
            return performance.now() - start }""")
        assert page.locator("#findings tbody tr:not([hidden])").count() == 100
        page.fill("#search", "")
        assert page.locator("#findings tbody tr:visible").count() == 200
        page.click("#more button:first-child")
        assert page.locator("#findings tbody tr:visible").count() == 1200
        page.context.close()
    browser.close()
    print(f"10,000 problems: {size / 1e6:.1f} MB, open after {sorted(times)[2]:.0f} ms (of {[round(it) for it in times]}), filtered in {filtered:.0f} ms")
    assert size < 5_000_000 and sorted(times)[2] < 1000
assert not complaints, complaints
PYTHON
