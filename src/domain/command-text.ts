/** Commands to run inside a sentence: each follows a colon and a blank, and ends before a comma, semicolon or bracket. */

const word = String.raw`(?:\\.|'[^']*'|"[^"]*"|[,;:](?=[^\s\u001b])|[^\s,;:()'"\\\u001b])+`;

/** Matches each command. A full stop or comma after it is not part of it, but one inside a word is. */
export const commandInText = new RegExp(
  String.raw`(?<=: )(?:npx )?(?:evstore|npm|jq|psql|cd)(?: ${word})+(?<!\.)`,
  'g',
);

/** Matches a line that is a command, with what introduces it. */
export const commandLine = /^ *(?:next: |\$ |(?:npx )?evstore )/;
