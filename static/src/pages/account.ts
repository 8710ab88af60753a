// Sign-in and code pages: show the password on request, send a form once.
import { startShell } from "../elements/shell";

startShell();
