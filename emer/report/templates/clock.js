// The time of the page: the player's where there is one that works, else a clock that is moved by hand.
// Times are seconds of the file; [first, last] is the part of it that the report is about.

const data = JSON.parse(document.getElementById("data").textContent);
const first = data.start, last = data.end;
const player = document.getElementById("media");
const listeners = [];
let still = first;          // where we are while no player works
let works = Boolean(player);

function now() { return works ? player.currentTime : still; }

function seek(time) {
  still = Math.min(Math.max(time, first), last);
  if (works) player.currentTime = still;
  tell(still);
}

function onTime(listener) { listeners.push(listener); }
function tell(time) { for (const listener of listeners) listener(time); }

function clockText(time) {
  const tenths = Math.round(time * 10);
  if (tenths < 600) return (tenths / 10).toFixed(1) + " s";
  const minutes = Math.floor(tenths / 600), rest = (tenths % 600) / 10;
  return minutes + ":" + rest.toFixed(1).padStart(4, "0");
}

function togglePlay() {
  if (!works) return;
  if (!player.paused) { player.pause(); return; }
  if (now() >= last - 0.05 || now() < first) seek(first);
  const started = player.play();
  if (started) started.catch(() => cannotPlay());
}

function cannotPlay() {
  if (!player.error) return;          // a play() that a pause() overtook is no failure
  const source = player.getAttribute("src");
  if (source.startsWith("data:")) {   // some browsers play no data URI, but all of them play a blob
    player.src = URL.createObjectURL(blobOf(source));
    return;
  }
  works = false;
  const note = document.getElementById("media-note");
  note.textContent = (note.textContent + " This browser cannot play the clip; the timeline works without it.").trim();
  note.hidden = false;
}

function blobOf(uri) {
  const comma = uri.indexOf(",");
  const bytes = Uint8Array.from(atob(uri.slice(comma + 1)), (character) => character.charCodeAt(0));
  return new Blob([bytes], { type: uri.slice(5, comma).split(";")[0] });
}

function follow() {
  if (!works || player.paused) return;
  const time = now();
  const whole = last >= player.duration - 0.2;
  if (!whole && time >= last && time < last + 1) player.pause();   // the report is about a part of the file
  tell(time);
  requestAnimationFrame(follow);
}

if (player) {
  player.addEventListener("error", cannotPlay);
  player.addEventListener("play", () => requestAnimationFrame(follow));
  for (const name of ["timeupdate", "seeking", "seeked"]) player.addEventListener(name, () => works && tell(now()));
  const arrange = () => {
    if (player.tagName === "VIDEO" && player.videoWidth === 0) player.classList.add("sound");
    if (first > 0 && player.currentTime === 0 && still === first) player.currentTime = first;
  };
  if (player.readyState >= 1) arrange(); else player.addEventListener("loadedmetadata", arrange);
  if (player.error) cannotPlay();
}
