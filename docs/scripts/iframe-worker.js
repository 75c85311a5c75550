// The search runs in a worker, which browsers refuse to pages that are opened from a disk. There, a
// hidden frame does its work: it has the worker's script, and each hears what the other posts.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      this.inside = frame.contentWindow;
      this.inside.postMessage = (data) =>
        this.dispatchEvent(new MessageEvent("message", { data }));
      this.loaded = new Promise((resolve, reject) => {
        const script = frame.contentDocument.createElement("script");
        script.onload = resolve;
        script.onerror = reject;
        script.src = new URL(url, location.href);
        frame.contentDocument.body.append(script);
      });
    }

    postMessage(data) {
      const heard = () => this.inside.dispatchEvent(new MessageEvent("message", { data }));
      this.loaded.then(heard);
    }
  };
}
