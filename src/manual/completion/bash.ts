/**
 * Completion for bash, as one file for all programs: what the tables say as functions of the shell, and one way through
 * the words that have been typed. It needs nothing of the package bash-completion.
 *
 * 1. Whoever completes waits two seconds at most for a daemon that does not answer, and sees no errors.
 * 2. Names from outside (databases, scripts) are compared and quoted as text, never expanded.
 */
import { type Grammar, type GrammarCommand, NODE_WORDS, type Offer, offersOf } from "./grammar.ts";
import { confKeys, MEANINGS } from "./meanings.ts";

export function bashCompletion(grammars: readonly Grammar[]): string {
  return [
    "# Completion for the programs of CTDB. Made from their tables.\n",
    table("_ctdb_commands", "the commands of PROGRAM, a line each", grammars.map(commandsCase)),
    table("_ctdb_options", "the options of PROGRAM COMMAND", grammars.flatMap(optionsCases)),
    table(
      "_ctdb_value",
      "what the value of PROGRAM OPTION is; nothing for one without",
      grammars.flatMap(valueCases),
    ),
    table("_ctdb_arguments", "what the arguments of PROGRAM COMMAND are, a line each", [
      ...grammars.flatMap(argumentCases),
    ]),
    table(
      "_ctdb_continues",
      "the program whose words follow PROGRAM COMMAND",
      grammars.flatMap(continuesCases),
    ),
    table("_ctdb_conf_options", "the options of a SECTION of ctdb.conf", confCases()),
    ENGINE,
    `complete -F _ctdb_complete ${grammars.map(({ program }) => program).join(" ")}\n`,
  ].join("\n");
}

/** A function that prints something by its arguments. */
function table(name: string, comment: string, cases: readonly string[]): string {
  return `# Prints ${comment}.\n${name}()\n{\n\tcase "$*" in\n${cases.join("")}\tesac\n}\n`;
}

function commandsCase({ program, commands }: Grammar): string {
  const names = commands.map(({ name }) => name).filter((name) => name !== "");
  return names.length === 0 ? "" : branch(program, names);
}

function optionsCases({ program, options, commands }: Grammar): readonly string[] {
  const own = [...new Set(options.flatMap((option) => option.commands ?? []))];
  const known = commands.filter(({ name }) => own.includes(name));
  const general = options.filter((option) => option.commands === undefined);
  return [
    ...known.map(({ name }) => {
      const taken = options.filter((option) => option.commands?.includes(name) !== false);
      return branch(`${program} ${name}`, [taken.flatMap(({ names }) => names).join(" ")]);
    }),
    `\t"${program} "*) printf '%s\\n' ${quoted(general.flatMap(({ names }) => names).join(" "))} ;;\n`,
  ];
}

function valueCases({ program, options }: Grammar): readonly string[] {
  return options.flatMap(({ names, value }) => {
    const [offer] = value === undefined ? [] : offersOf(value, MEANINGS);
    return offer === undefined
      ? []
      : names.map((name) => branch(`${program} ${name}`, [items(offer)]));
  });
}

function argumentCases({ program, commands }: Grammar): readonly string[] {
  return commands.flatMap(({ name, args }) => {
    const offers = offersOf(args, MEANINGS);
    const lines = offers.map((offer) => `${offer.repeated ? "... " : ""}${items(offer)}`);
    return lines.length === 0 ? [] : [branch(`${program} ${name}`.trim(), lines)];
  });
}

function continuesCases({ program, commands }: Grammar): readonly string[] {
  return commands.flatMap(({ name, continues }: GrammarCommand) =>
    continues === undefined ? [] : [branch(`${program} ${name}`, [continues])],
  );
}

function confCases(): readonly string[] {
  return [...confKeys()].map(([section, names]) => branch(section, names));
}

/** Words as they are, sources with an at sign. */
function items({ words, sources }: Offer): string {
  const all = [...words, ...sources.map((source) => `@${source.replace(" ", "_")}`)];
  return all.length === 0 ? "@nothing" : all.join(" ");
}

function branch(pattern: string, lines: readonly string[]): string {
  return `\t${quoted(pattern)}) printf '%s\\n' ${lines.map(quoted).join(" ")} ;;\n`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

const ENGINE = `# Prints what can be in the place of an at sign and a name, a line each.
_ctdb_source()
{
	local line path
	case "$1" in
	database) ctdb -t 2 -T 2 -X getdbmap 2>/dev/null | cut -d'|' -f3 | tail -n +2 ;;
	node) ctdb -T 2 -X listnodes 2>/dev/null | cut -d'|' -f2 ;;
	address) ctdb -t 2 -T 2 -X ip all 2>/dev/null | cut -d'|' -f2 | tail -n +2 ;;
	script)
		ctdb-event script list legacy 2>/dev/null | while read -r line; do
			line=\${line#\\* }
			[ -z "$line" ] || printf '%s\\n' "$line"
		done
		;;
	interface)
		for path in /sys/class/net/*; do
			[ ! -e "$path" ] || printf '%s\\n' "\${path##*/}"
		done
		;;
	option) _ctdb_conf_options "$2" ;;
	esac
}

# Adds what begins as the word under the cursor: words, and what sources have. The last argument is the one before.
_ctdb_offer()
{
	local before=\${*: -1} item line
	for item in "\${@:1:$#-1}"; do
		case "$item" in
		@nothing) ;;
		@file)
			compopt -o filenames 2>/dev/null
			while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$current")
			;;
		@command)
			while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -c -- "$current")
			;;
		@node_list) _ctdb_offer_last "\${current##*,}" $(_ctdb_source node) ;;
		@node_specification)
			_ctdb_offer_last "\${current##*,}" ${NODE_WORDS.join(" ")}
			_ctdb_offer_last "\${current##*[,-]}" $(_ctdb_source node)
			;;
		@*)
			while IFS= read -r line; do
				[[ $line == "\${current//\\\\/}"* ]] && COMPREPLY+=("$(printf %q "$line")")
			done < <(_ctdb_source "\${item#@}" "$before")
			;;
		*) [[ $item == "$current"* ]] && COMPREPLY+=("$item") ;;
		esac
	done
}

# Adds the words that begin as LAST, the end of the word under the cursor, behind what stands in front of that.
_ctdb_offer_last()
{
	local last=$1 word
	shift
	for word; do
		[[ $word != "$last"* ]] || COMPREPLY+=("\${current%"$last"}$word")
	done
}

# Goes through the words from number AT on, which are those of PROGRAM.
_ctdb_words()
{
	local program=$1 at=$2 word option="" command="" next line lines=() known=() given=() joined=""
	mapfile -t known < <(_ctdb_commands "$program")
	for (( ; at < COMP_CWORD; at++)); do
		word=\${COMP_WORDS[at]}
		if [ -n "$option" ]; then
			[ "$word" = "=" ] || option=""
		elif [[ $word == : || $joined == yes ]]; then
			# A shell that divides words at colons divides addresses.
			[ "$word" = : ] && joined=yes || joined=""
		elif [[ $word == -?* ]]; then
			[ -z "$(_ctdb_value "$program" "$word")" ] || option=$word
		else
			given+=("$word")
			line="\${command:+$command }$word"
			for next in "\${known[@]}"; do
				[[ \${#given[@]} -le 2 && $next == "$line" ]] || continue
				command=$next
				given=()
				next=$(_ctdb_continues "$program" "$command")
				[ -z "$next" ] || {
					_ctdb_words "$next" $((at + 1))
					return
				}
				known=()
				break
			done
			[ \${#known[@]} -eq 0 ] || command=$line
		fi
	done
	if [ -n "$option" ]; then
		[ "$current" != "=" ] || current=""
		read -r -a lines < <(_ctdb_value "$program" "$option")
		_ctdb_offer "\${lines[@]}" ""
	elif [[ $current == -* ]]; then
		read -r -a lines < <(_ctdb_options "$program" "$command")
		_ctdb_offer "\${lines[@]}" ""
	elif [ \${#known[@]} -gt 0 ]; then
		for next in "\${known[@]}"; do
			[ -z "$command" ] || [[ $next == "$command "* ]] || continue
			line=\${next#"\${command:+$command }"}
			lines+=("\${line%% *}")
		done
		_ctdb_offer "\${lines[@]}" ""
	else
		mapfile -t lines < <(_ctdb_arguments "$program\${command:+ $command}")
		at=\${#given[@]}
		if [ "$at" -ge \${#lines[@]} ]; then
			at=$((\${#lines[@]} - 1))
			[[ $at -ge 0 && \${lines[at]} == ...* ]] || return
		fi
		word=""
		[ \${#given[@]} -eq 0 ] || word=\${given[*]: -1}
		read -r -a lines <<<"\${lines[at]#... }"
		_ctdb_offer "\${lines[@]}" "$word"
	fi
}

_ctdb_complete()
{
	local current=\${COMP_WORDS[COMP_CWORD]} line seen=" " unique=()
	COMPREPLY=()
	_ctdb_words "\${1##*/}" 1
	for line in "\${COMPREPLY[@]}"; do
		[[ $seen == *" $line "* ]] || unique+=("$line")
		seen+="$line "
	done
	COMPREPLY=("\${unique[@]}")
}
`;
