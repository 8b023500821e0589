/* The page's own script: tabs, keys, address, connection. It talks to the session through two unseen fields. */
window.glocal = (() => {
  const SPOKEN = ["INPUT", "SELECT", "TEXTAREA"]
  const DOUBLE_MS = 250 // between the clicks of a double one
  const SILENCES = 2 // a line that stays silent for that many beats is dead
  const LOOK_MS = 3000 // between two looks whether a server that was lost is back
  const CONNECTIONS = 6 // that a browser keeps open to a server
  const waiting = []
  let asked = 0, gone = false, leaving = false
  let line = null, heard = false, silences = 0

  history.pushState = (...words) => history.replaceState(...words) // the address follows the selection; Back leaves the page

  /* Bokeh keeps its line to the server to itself, and does not notice that it is dead after a laptop's sleep */
  window.WebSocket = class extends WebSocket {
    constructor(...words) {
      super(...words)
      line = this
      this.addEventListener("message", () => { heard = true; silences = 0 })
      this.addEventListener("close", () => { if (!leaving) lost() })
    }
  }

  function pulse() {
    if (gone || !heard) return
    if (silences >= SILENCES) { lost(); return }
    silences += 1
    for (const part of [{ msgid: "pulse", msgtype: "SERVER-INFO-REQ" }, {}, {}]) line.send(JSON.stringify(part))
  }

  const field = (name) => window.Bokeh?.documents?.[0]?.get_model_by_name(name) ?? null
  const all = (words) => [...document.querySelectorAll(words)]

  function ask(words) {
    if (gone) return
    const ear = field("ask")
    if (ear == null) waiting.push(words)
    else ear.value = `${++asked} ${words}`
  }

  function tell(words) {
    const told = JSON.parse(words)
    if (told.page) {
      show(told.page)
      document.body.removeAttribute("aria-busy")
    }
    if ("zoomed" in told) document.querySelector(".unzoom").hidden = !told.zoomed
    if ("cuts" in told) document.querySelector(".cuts summary").textContent = told.cuts ? `More cuts (${told.cuts} in force)` : "More cuts"
    if (told.file) save(told.file)
    if (told.sentence) say(told.sentence)
    if (told.place) settled(() => list(told.place))
    else if (told.place === null) unlist()
    setTimeout(expose, 100)
  }

  function show(page) {
    document.body.dataset.page = page
    for (const tab of all("[data-tab]")) {
      if (tab.dataset.tab === page) tab.setAttribute("aria-current", "page")
      else tab.removeAttribute("aria-current")
    }
    const row = document.querySelector("nav"), here = row?.querySelector("[aria-current]")
    if (here) row.scrollLeft = here.offsetLeft + here.offsetWidth / 2 - row.clientWidth / 2 // of a row wider than the window
  }

  function turn(page) {
    await_page(page)
    ask(`page ${page}`)
  }

  /* Its tab at once, and a sign that something is being done until the session has made it */
  function await_page(page) {
    if (page !== document.body.dataset.page) document.body.setAttribute("aria-busy", "true")
    show(page)
  }

  function save({ name, type, data }) {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0))
    const link = document.createElement("a")
    link.href = URL.createObjectURL(new Blob([bytes], { type }))
    link.download = name
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 10000)
    document.body.removeAttribute("aria-busy")
  }

  function say(sentence) {
    const told = document.createElement("p")
    told.className = "told"
    told.setAttribute("role", "status")
    told.textContent = sentence + " "
    const close = document.createElement("button")
    close.textContent = "×"
    close.ariaLabel = "Dismiss"
    close.onclick = () => told.remove()
    told.append(close)
    document.querySelector("header").after(told)
    document.body.removeAttribute("aria-busy")
  }

  /* What sits at the place of a plane that was clicked; the first click of a double one asks for nothing */
  let at = { clientX: 0, clientY: 0 }, clicks = 0
  function settled(act) {
    const before = clicks
    setTimeout(() => { if (clicks === before) act() }, DOUBLE_MS)
  }

  function list({ where, counted, headings, rows, more, ids }) {
    const box = document.querySelector(".place")
    box.querySelector(".where").innerHTML = where
    box.querySelector(".counted").textContent = rows.length ? counted : "No selected region lies here."
    const table = box.querySelector("table")
    table.hidden = !rows.length
    table.tHead.rows[0].innerHTML = headings.map((words) => `<th scope="col">${words}</th>`).join("")
    table.tBodies[0].replaceChildren(...rows.map(line_of))
    box.querySelector(".more").textContent = more
    const only = box.querySelector(".only")
    only.hidden = !rows.length
    only.onclick = () => { box.close(); ask(`only ${ids.join(",")}`) }
    box.show()
    const { width, height } = box.getBoundingClientRect(), gap = 14
    const right = at.clientX + gap + width < innerWidth
    box.style.left = `${Math.max(8, right ? at.clientX + gap : at.clientX - gap - width)}px`
    box.style.top = `${Math.max(8, Math.min(at.clientY - 20, innerHeight - height - 8))}px`
  }

  function unlist() {
    clicks += 1
    document.querySelector(".place").close()
  }

  function line_of({ id, name, numbers }) {
    const row = document.createElement("tr"), open = document.createElement("button")
    open.textContent = name
    open.onclick = () => { document.querySelector(".place").close(); await_page("galaxy"); ask(`galaxy ${id}`) }
    row.insertCell().append(open)
    for (const words of numbers) row.insertCell().textContent = words
    return row
  }

  function fetch_(kind) {
    document.body.setAttribute("aria-busy", "true")
    document.querySelector(".menu").open = false
    ask(`export ${kind}`)
  }

  async function copy(button) {
    const before = button.textContent
    button.textContent = (await written(location.href)) ? "Copied" : "Copy the address"
    setTimeout(() => { button.textContent = before }, 1500)
  }

  async function written(words) {
    try {
      if (navigator.clipboard) { await navigator.clipboard.writeText(words); return true }
    } catch { /* not allowed: try the old way */ }
    const field = document.createElement("textarea") // plain http by host name has no navigator.clipboard
    field.value = words
    document.body.append(field)
    field.select()
    const done = document.execCommand("copy")
    field.remove()
    return done
  }

  function lost() {
    if (gone) return
    gone = true
    line.close()
    document.querySelector(heard ? ".lost" : ".never").hidden = false
    document.querySelector(".stage").inert = true
    document.querySelector("nav").inert = true
    if (heard) come_back()
  }

  /* Connections that died with the line answer nothing: the first time all that a browser keeps are tried, and given up */
  function come_back() {
    const file = document.querySelector("script[src]").src // small work for a server that has just come up
    let back = false
    const look = async () => {
      try {
        const answer = await window.fetch(file, { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(5000) })
        if (answer.ok && !back) { back = true; location.reload() } // the address restores everything
      } catch { /* still gone */ }
    }
    setTimeout(() => { for (let i = 1; i < CONNECTIONS; i++) look() }, LOOK_MS)
    setInterval(look, LOOK_MS)
  }

  function press(event) {
    const where = event.composedPath()[0]
    if (gone || event.altKey || SPOKEN.includes(where?.tagName) || where?.isContentEditable || where?.role === "slider") return
    const command = event.ctrlKey || event.metaKey
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key]
    if (command && event.key.toLowerCase() === "z") act(event, event.shiftKey ? "redo" : "undo")
    else if (command && event.key.toLowerCase() === "y") act(event, "redo")
    else if (command) return
    else if (step && document.body.dataset.page === "galaxy" && (event.shiftKey || step[0])) act(event, `step ${step.join(" ")} ${+event.shiftKey}`)
    else if (event.key === "0") act(event, "unzoom")
    else if (event.key === "[" || event.key === "]") neighbour(event.key === "]" ? 1 : -1)
    else if (event.key === "/") search(event)
    else if (event.key === "?") keys()
    else if (event.key === "Escape") put_away()
  }

  function act(event, words) {
    event.preventDefault()
    ask(words)
  }

  function neighbour(by) {
    const tabs = all("[data-tab]")
    const now = tabs.findIndex((tab) => tab.dataset.tab === document.body.dataset.page)
    turn(tabs[(now + by + tabs.length) % tabs.length].dataset.tab)
  }

  function search(event) {
    event.preventDefault()
    turn("galaxy")
    const look = () => { // until the session has made the page, unless the visitor turns away
      const box = deep(document.querySelector('aside[data-rail="galaxy"]'), "input[type=text]")[0]
      if (box) box.focus()
      else if (document.body.dataset.page === "galaxy" && !gone) setTimeout(look, 200)
    }
    look()
  }

  function read(words) {
    for (const place of all(".readout")) place.innerHTML = words // labels of ours and numbers
  }

  function put_away() {
    document.querySelector(".place").close()
    const menu = document.querySelector(".menu[open]")
    if (menu) { menu.open = false; menu.querySelector("summary").focus() }
  }

  function keys() {
    document.querySelector("dialog.keys").showModal()
  }

  /* As the system has it, until the visitor says otherwise */
  function theme(words) {
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"
    const now = document.documentElement.dataset.theme ?? system
    const next = words ?? (now === "dark" ? "light" : "dark")
    document.documentElement.dataset.theme = next
    recolour_soon()
    try { localStorage.setItem("glocal-theme", next) } catch { /* a browser that keeps nothing */ }
  }

  /* The dark theme is a filter over the whole page. Colours of data are to look the same through it as without it:
     each palette is replaced by what the filter turns into it. Greys turn over, so that dense stays far from the ground. */
  const INVERT = 0.92 // as in page.css
  const TURN = [[-0.574, 1.43, 0.144], [0.426, 0.43, 0.144], [0.426, 1.43, -0.856]] // hue-rotate(180deg)
  const given = new Map() // palettes that the server sent, by the words of those that are shown
  let recolouring = false

  function channels(colour) {
    return [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16) / 255)
  }

  function before_filter(colour) {
    const turned = TURN.map((row) => channels(colour).reduce((sum, value, i) => sum + row[i] * value, 0))
    const levels = turned.map((value) => Math.round(255 * Math.min(1, Math.max(0, (INVERT - value) / (2 * INVERT - 1)))))
    return "#" + levels.map((level) => level.toString(16).padStart(2, "0")).join("")
  }

  const is_coloured = (palette) => palette.some((colour) => Math.max(...channels(colour)) - Math.min(...channels(colour)) > 0.4)

  function recolour() {
    recolouring = false
    const dark = document.documentElement.dataset.theme === "dark"
    for (const mapper of Bokeh.documents[0]._all_models.values()) {
      if (mapper.type !== "LinearColorMapper") continue
      const shown = mapper.palette.join(), sent = given.get(shown) ?? mapper.palette
      const wanted = dark && is_coloured(sent) ? sent.map(before_filter) : sent
      if (wanted.join() === shown) continue
      given.set(wanted.join(), sent)
      mapper.setv({ palette: wanted }, { sync: false })
    }
  }

  /* Palettes come with every figure that is made */
  function recolour_soon() {
    if (recolouring || window.Bokeh?.documents?.[0] == null) return
    recolouring = true
    requestAnimationFrame(recolour)
  }

  function kept() {
    try { return localStorage.getItem("glocal-theme") } catch { return null }
  }

  function drawer() {
    const open = document.body.classList.toggle("drawn")
    document.querySelector(".drawer").setAttribute("aria-expanded", open)
  }

  /* Elements inside shadow roots too */
  function deep(root, words, found = []) {
    if (root == null) return found
    found.push(...root.querySelectorAll(words))
    for (const each of root.querySelectorAll("*")) if (each.shadowRoot) deep(each.shadowRoot, words, found)
    return found
  }

  /* Bokeh's buttons do not tell which of them is down, nor its sliders what they are */
  const watched = new WeakSet()
  function expose() {
    for (const group of deep(document, ".bk-btn-group")) {
      const state = () => { for (const button of group.querySelectorAll(".bk-btn")) if (group.querySelectorAll(".bk-btn").length > 1) button.setAttribute("aria-pressed", button.classList.contains("bk-active")) }
      state()
      if (watched.has(group)) continue
      watched.add(group)
      new MutationObserver(state).observe(group, { subtree: true, attributeFilter: ["class"] })
    }
    for (const plane of deep(document, ".bk-Canvas, .bk-events")) {
      if (plane.tabIndex === 0 && !plane.ariaLabel) {
        plane.role = "img"
        plane.ariaLabel = "Figure; its numbers stand below it and in the files of the Export menu"
      }
    }
    for (const handle of deep(document, ".noUi-handle")) {
      const what = handle.getRootNode().host?.closest("[role=group]")?.getAttribute("aria-label") ?? "Range"
      handle.setAttribute("aria-label", `${what}, ${handle.classList.contains("noUi-handle-lower") ? "lower" : "upper"} end`)
    }
  }

  function ready() {
    if (field("ask") == null || !Bokeh.documents[0].is_idle) { setTimeout(ready, 50); return }
    for (const words of waiting.splice(0)) ask(words)
    show(document.body.dataset.page) // the tabs were not there yet when the page began
    if (field("tell").value) tell(field("tell").value) // told before the page could hear
    expose()
    recolour_soon()
    Bokeh.documents[0].on_change(() => { if (document.documentElement.dataset.theme === "dark") recolour_soon() })
    document.body.dataset.ready = "yes"
  }

  function begin(page, ping_ms) {
    show(page)
    theme(kept() ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"))
    addEventListener("keydown", press)
    addEventListener("pointerdown", (event) => {
      const box = document.querySelector(".place")
      if (box.contains(event.target)) return
      at = event
      clicks += 1
      box.close()
    }, true)
    addEventListener("wheel", (event) => {
      const box = document.querySelector(".place")
      if (!box.contains(event.target)) box.close()
    }, { capture: true, passive: true })
    addEventListener("pagehide", () => { leaving = true })
    addEventListener("pageshow", (event) => { if (event.persisted) location.reload() }) // back to a page without its line
    setInterval(pulse, ping_ms)
    addEventListener("click", (event) => {
      const tab = event.target.closest?.("[data-tab]")
      if (tab && !event.ctrlKey && !event.metaKey && !event.shiftKey) { event.preventDefault(); turn(tab.dataset.tab) }
      const menu = document.querySelector(".menu[open]")
      if (menu && !menu.contains(event.target)) menu.open = false
    })
    setTimeout(ready, 50)
  }

  return { ask, tell, read, begin, copy, keys, theme, drawer, fetch: fetch_ }
})()
