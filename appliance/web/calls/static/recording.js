// A recording's waveform as a slider: it shows the place that is played, and goes where it is told.
const STEP = 5; // seconds that an arrow key moves
const WIDTH = 200; // of the drawing

const told = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

for (const figure of document.querySelectorAll("[data-recording]")) {
  const wave = figure.querySelector(".wave");
  const audio = figure.querySelector("audio");
  if (!wave || !audio) continue;
  const seconds = Number(figure.dataset.seconds);

  const show = () => {
    wave.querySelector(".played").setAttribute("width", String((WIDTH * audio.currentTime) / seconds));
    wave.setAttribute("aria-valuenow", String(Math.round(audio.currentTime)));
    wave.setAttribute("aria-valuetext", told(audio.currentTime));
  };
  const go = (place) => {
    audio.currentTime = Math.min(Math.max(place, 0), seconds);
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
    go((seconds * (event.clientX - box.left)) / box.width);
  });
  wave.addEventListener("keydown", (event) => {
    const does = {
      ArrowLeft: () => go(audio.currentTime - STEP),
      ArrowRight: () => go(audio.currentTime + STEP),
      Home: () => go(0),
      End: () => go(seconds),
      " ": toggle,
      Enter: toggle,
    }[event.key];
    if (!does) return;
    event.preventDefault();
    does();
  });
}
