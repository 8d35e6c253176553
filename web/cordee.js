// The page works without this file. With it, rows change by themselves and forms answer in place.
import { detail } from "./detail.js";
import { follow } from "./live.js";
import { listen } from "./forms.js";
import { stay } from "./place.js";
import { prove } from "./proof.js";
import { tail } from "./tail.js";

prove();
listen();
stay();
if (document.getElementById("live")) {
  follow();
  detail();
  tail();
}
