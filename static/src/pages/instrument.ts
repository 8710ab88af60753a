// The pages of instruments, found ones and one of them: live prices, the age of the newest, sessions in one's own time.
import { LiveRows } from "../elements/live_rows";
import { startLivePage } from "../elements/live_page";
import { showOwnTimes } from "../elements/own_times";
import { startShell } from "../elements/shell";

startShell();
showOwnTimes(document);
const rows = new LiveRows(document);
rows.follow(startLivePage(rows.part));
