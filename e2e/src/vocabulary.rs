//! The words of each language, from the files that hold the page's sentences: which of them stand where only the other
//! one is spoken.

use std::collections::BTreeSet;
use std::path::Path;

/// What a file of sentences says, without what is put into the sentences.
fn sentences(source: &str) -> String {
    let mut said = String::new();
    for line in source.lines().filter(|line| !line.starts_with('#')) {
        let text = match line.split_once(" = ") {
            Some((_, text)) if !line.starts_with(' ') => text,
            _ => line.trim_start().trim_start_matches('*'),
        };
        let text =
            if text.starts_with('[') { text.split_once(']').map_or("", |(_, rest)| rest) } else { text };
        // A choice begins: what stands before it is said in any case.
        let text = match text.strip_suffix("->") {
            Some(before) => before.rsplit_once('{').map_or("", |(before, _)| before),
            None => text,
        };
        let mut depth = 0_usize;
        for character in text.chars() {
            match character {
                '{' => {
                    depth += 1;
                    said.push(' ');
                }
                '}' => depth = depth.saturating_sub(1),
                _ if depth == 0 => said.push(character),
                _ => {}
            }
        }
        said.push('\n');
    }
    said
}

/// Names of commands and cookies, of servers and clusters are no words: they have capitals alone, an underscore, or a
/// digit.
fn words(text: &str) -> BTreeSet<String> {
    let all = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    let all = all.filter(|word| word.chars().count() > 1 && word.chars().all(char::is_alphabetic));
    all.filter(|word| word.chars().any(char::is_lowercase)).map(str::to_lowercase).collect()
}

/// Every word that the page says in that language.
#[track_caller]
pub fn vocabulary(language: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/server/locales").join(language);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    files
        .flatten()
        .flat_map(|file| words(&sentences(&std::fs::read_to_string(file.path()).expect("text"))))
        .collect()
}

/// What is said in words that the other language has and this one has not. `data` is what others said, and no word of
/// ours.
pub fn foreign(
    told: &BTreeSet<String>,
    own: &BTreeSet<String>,
    other: &BTreeSet<String>,
    data: &[&str],
) -> Vec<String> {
    let odd = |text: &String| {
        let said = words(&data.iter().fold(text.clone(), |text, data| text.replace(data, " ")));
        let odd: Vec<String> = said.into_iter().filter(|w| other.contains(w) && !own.contains(w)).collect();
        (!odd.is_empty()).then(|| format!("{odd:?} in {text:?}"))
    };
    told.iter().filter_map(odd).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRENCH: &str = "# Un commentaire du fichier\nnav = Accueil\n\
        count = Il y a { $count ->\n    [one] un serveur\n   *[other] { $count } serveurs\n} sur { $place }.\n\
        help = Première ligne,\n    suite de la ligne.\n";
    const ENGLISH: &str =
        "nav = Home\ncount = { $count ->\n    [one] one server\n   *[other] { $count } servers\n}\n";

    #[test]
    fn what_is_put_into_a_sentence_is_none_of_its_words() {
        let said: Vec<String> = words(&sentences(FRENCH)).into_iter().collect();
        let all =
            ["accueil", "de", "il", "la", "ligne", "première", "serveur", "serveurs", "suite", "sur", "un"];
        assert_eq!(said, all);
    }

    #[test]
    fn a_word_of_the_other_language_is_found() {
        let (french, english) = (words(&sentences(FRENCH)), words(&sentences(ENGLISH)));
        let foreign =
            |told: &str| foreign(&BTreeSet::from([told.to_owned()]), &english, &french, &["suite 7"]);
        assert_eq!(foreign("2 servers"), Vec::<String>::new());
        assert_eq!(foreign("SERVEUR, serveur_id and the suite 7"), Vec::<String>::new(), "names and data");
        assert_eq!(foreign("Cordée f2sur7a, un3"), Vec::<String>::new(), "what was drawn by lot");
        assert_eq!(foreign("web1 : Un serveur"), ["[\"serveur\", \"un\"] in \"web1 : Un serveur\""]);
    }
}
