// Pages without a script of their own: theme menu, bell, connection chip.
import { startLivePage } from "../elements/live_page";
import { startShell } from "../elements/shell";

startShell();
startLivePage();
