//! Broken views: a table, a column or a function that the view names is gone, or the account that owns it. The donor
//! keeps the view's text, but nobody can read from the view, and MariaDB refuses to create it again. So the copy
//! creates it while stand-ins exist for all names in its text, and it is then as broken as before. Without the view,
//! a later `DROP VIEW` would stop the new database's channel.

use std::collections::BTreeSet;

/// The names in a view's text that must exist when the view is created.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Props {
    /// Schemas.
    pub schemas: BTreeSet<String>,
    /// Tables: schema and name. These are more than needed, because an alias looks like a schema.
    pub tables: BTreeSet<(String, String)>,
    /// Columns, without their table.
    pub columns: BTreeSet<String>,
    /// Functions: schema, name, number of arguments.
    pub functions: BTreeSet<(String, String, usize)>,
}

/// Reads the names in the text that `SHOW CREATE VIEW` gives. In that text every name is in backticks: tables with
/// their schema, columns with their table, functions with their schema unless it is the view's own.
pub fn props(text: &str, own: (&str, &str)) -> Props {
    let mut all = Props::default();
    let mut columns = BTreeSet::new();
    let mut rest = text;
    while let Some(at) = rest.find(['`', '\'', '"']) {
        rest = &rest[at..];
        if !rest.starts_with('`') {
            rest = after_string(rest);
            continue;
        }
        let mut chain = Vec::new();
        while let Some((name, after)) = identifier(rest) {
            chain.push(name);
            rest = after;
            match rest.strip_prefix('.') {
                Some(more) if more.starts_with('`') => rest = more,
                _ => break,
            }
        }
        if chain.is_empty() {
            // The name has no end: there is nothing more to read.
            break;
        }
        // A function of the view's own schema is written without its schema.
        if let ([function], true) = (chain.as_slice(), rest.starts_with('(')) {
            all.functions.insert((own.0.to_owned(), function.clone(), arguments(rest)));
        }
        match <[String; 2]>::try_from(chain) {
            Ok([schema, name]) if (schema.as_str(), name.as_str()) == own => {}
            Ok([schema, name]) if rest.starts_with('(') => {
                all.functions.insert((schema.clone(), name, arguments(rest)));
                all.schemas.insert(schema);
            }
            // A table, or a column of an alias: stand-ins are prepared for both.
            Ok([schema, name]) => {
                columns.insert(name.clone());
                all.tables.insert((schema.clone(), name));
                all.schemas.insert(schema);
            }
            Err(chain) => {
                if let [schema, table, column] = chain.as_slice() {
                    columns.insert(column.clone());
                    all.tables.insert((schema.clone(), table.clone()));
                    all.schemas.insert(schema.clone());
                }
            }
        }
    }
    all.columns = distinct(columns);
    all
}

/// MariaDB treats column names that differ only in case as the same.
fn distinct(columns: BTreeSet<String>) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    columns.into_iter().filter(|c| seen.insert(c.to_lowercase())).collect()
}

/// Returns the name in backticks at the beginning, and the text after it.
fn identifier(text: &str) -> Option<(String, &str)> {
    let mut rest = text.strip_prefix('`')?;
    let mut name = String::new();
    loop {
        let end = rest.find('`')?;
        name.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('`') {
            Some(more) => {
                name.push('`');
                rest = more;
            }
            None => return Some((name, rest)),
        }
    }
}

/// Returns the text after the string at the beginning. MariaDB escapes in it with backslashes or doubled quotes.
fn after_string(text: &str) -> &str {
    let Some(quote) = text.chars().next() else { return text };
    let mut characters = text.char_indices().skip(1);
    while let Some((at, c)) = characters.next() {
        if c == '\\' {
            characters.next();
        } else if c == quote {
            return &text[at + 1..];
        }
    }
    ""
}

/// Returns the number of arguments in the parentheses at the beginning.
fn arguments(text: &str) -> usize {
    let (mut depth, mut commas, mut any) = (0_u32, 0, false);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        match c {
            '`' => {
                any = true;
                rest = identifier(rest).map_or("", |(_, after)| after);
                continue;
            }
            '\'' | '"' => {
                any = true;
                rest = after_string(rest);
                continue;
            }
            '(' => {
                any |= depth > 0;
                depth += 1;
            }
            ')' if depth == 1 => break,
            ')' => depth -= 1,
            ',' if depth == 1 => commas += 1,
            c => any |= !c.is_whitespace(),
        }
        rest = &rest[c.len_utf8()..];
    }
    if any { commas + 1 } else { 0 }
}

/// Orders the views so that each comes before the views that its text names, which are still stand-ins then.
pub fn in_order<T>(views: Vec<T>, of: impl Fn(&T) -> (&str, &str, &str)) -> Vec<T> {
    let names = |a: &T, b: &T| {
        let ((.., text), (schema, name, _)) = (of(a), of(b));
        let quoted = |n: &str| format!("`{}`", n.replace('`', "``"));
        text.contains(&format!("{}.{}", quoted(schema), quoted(name)))
    };
    let mut left = views;
    let mut all = Vec::new();
    while !left.is_empty() {
        // A view that no other one names; in a cycle, any of them.
        let free = (0..left.len()).find(|i| {
            left.get(*i)
                .is_some_and(|one| left.iter().enumerate().all(|(j, other)| j == *i || !names(other, one)))
        });
        all.push(left.remove(free.unwrap_or(0)));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_gets_a_stand_in() {
        let text = "CREATE ALGORITHM=UNDEFINED DEFINER=`r``t`@`localhost` SQL SECURITY DEFINER VIEW `zoo`.`broken` \
                    AS select `g`.`id` AS `id`,`zoo`.`b`.`x``y` + 1 AS `it's`,'`no`.`name`' AS `n`,\
                    `zoo`.`fn`(`g`.`id`,concat('a,b',`g`.`ID`)) AS `f`,`zoo`.`now`() AS `w`,`here`(1,'(') AS `h` \
                    from (`old`.`gone` `g` join `zoo`.`b` on(`zoo`.`b`.`id` = `g`.`id`)) \
                    where `g`.`t` = 'it\\'s `q`.`r`'";
        let props = props(text, ("zoo", "broken"));
        let has = |schema: &str, table: &str| props.tables.contains(&(schema.to_owned(), table.to_owned()));
        assert!(
            has("old", "gone") && has("zoo", "b") && !has("zoo", "broken") && !has("q", "r"),
            "{props:?}"
        );
        let functions: Vec<(&str, usize)> =
            props.functions.iter().map(|(_, n, a)| (n.as_str(), *a)).collect();
        assert_eq!(functions, [("fn", 2), ("here", 2), ("now", 0)]);
        for column in ["x`y", "t"] {
            assert!(props.columns.contains(column), "{column}: {props:?}");
        }
        assert_eq!(props.columns.iter().filter(|c| c.eq_ignore_ascii_case("id")).count(), 1);
        assert!(!props.columns.contains("name"));
        assert!(props.schemas.contains("old"));
    }

    #[test]
    fn odd_texts_end() {
        for text in ["", "`", "`a`.`b", "'", "`a`.`b`(", "\"\\", "`a`.`b`.`c`.`d`"] {
            let _ = props(text, ("a", "x"));
        }
        assert_eq!(props("select `a`.`b`(1,(2,3),'x,y') ", ("a", "x")).functions.len(), 1);
    }

    #[test]
    fn who_names_another_comes_first() {
        let text = |of: &str| format!("select `z`.`{of}`.`id`");
        let views = vec![("a", text("none")), ("b", text("a")), ("c", text("b"))];
        let order = in_order(views, |(name, text)| ("z", name, text));
        assert_eq!(order.iter().map(|(n, _)| *n).collect::<Vec<_>>(), ["c", "b", "a"]);
        // In a cycle, each view occurs once.
        let circle = in_order(vec![("a", text("b")), ("b", text("a"))], |(name, text)| ("z", name, text));
        assert_eq!(circle.len(), 2);
    }
}
