/** The spectrogram as the gateway draws it. Fetched, not linked: a picture in the page cannot send a key. */
import { useEffect, useState } from "preact/compat";
import { send } from "../api/client";

export function Spectrogram({ id }: { id: string }) {
  const [address, setAddress] = useState("");
  useEffect(() => {
    let made = "";
    let stale = false;
    send(`/v1/samples/${id}/spectrogram`)
      .then((answer) => answer.blob())
      .then(
        (picture) => {
          if (stale) return;
          made = URL.createObjectURL(picture);
          setAddress(made);
        },
        () => undefined,
      );
    return () => {
      stale = true;
      URL.revokeObjectURL(made);
    };
  }, [id]);
  return <div className="spectrogram">{address && <img src={address} alt="Spectrogram: time to the right, low notes below" />}</div>;
}
