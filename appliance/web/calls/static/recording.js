// A recording's waveform as a slider: it shows the playback position, and dragging it or the
// arrow keys move that position.
const STEP_SECONDS = 5; // step of an arrow key
const WAVE_WIDTH = 200; // width of the drawing

const clockText = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

for (const figure of document.querySelectorAll("[data-recording]")) {
  const wave = figure.querySelector(".wave");
  const audio = figure.querySelector("audio");
  if (!wave || !audio) continue;
  const seconds = Number(figure.dataset.seconds);

  const show = () => {
    wave.querySelector(".played").setAttribute("width", String((WAVE_WIDTH * audio.currentTime) / seconds));
    wave.setAttribute("aria-valuenow", String(Math.round(audio.currentTime)));
    wave.setAttribute("aria-valuetext", clockText(audio.currentTime));
  };
  const seek = (position) => {
    audio.currentTime = Math.min(Math.max(position, 0), seconds);
    show();
  };
  const toggle = () => {
    if (!audio.paused) return audio.pause();
    for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
    return audio.play();
  };

  audio.addEventListener("timeupdate", show);
  audio.addEventListener("seeked", show);
  wave.addEventListener("click", (event) => {
    const box = wave.getBoundingClientRect();
    seek((seconds * (event.clientX - box.left)) / box.width);
  });
  wave.addEventListener("keydown", (event) => {
    const action = {
      ArrowLeft: () => seek(audio.currentTime - STEP_SECONDS),
      ArrowRight: () => seek(audio.currentTime + STEP_SECONDS),
      Home: () => seek(0),
      End: () => seek(seconds),
      " ": toggle,
      Enter: toggle,
    }[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
