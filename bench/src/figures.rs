//! Medians and their spread.

use std::time::Duration;

/// A duration in milliseconds.
pub fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// Medians of the values with an even and of those with an odd place, one over the other: the same thing measured
/// twice in turns, which tells how much of a ratio is noise.
pub fn same(values: &[f64]) -> String {
    let half = |n: usize| Figures::new(values.iter().copied().skip(n).step_by(2).collect());
    if values.len() < 2 {
        return "one value only".to_owned();
    }
    format!("{:.2}", half(0).median() / half(1).median())
}

/// Measured values of one thing, sorted.
#[derive(Clone, Debug)]
pub struct Figures(Vec<f64>);

impl Figures {
    /// At least one value.
    pub fn new(mut values: Vec<f64>) -> Self {
        assert!(!values.is_empty(), "nothing was measured");
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// The value below which a share of all lies, between neighbours in proportion.
    pub fn quantile(&self, share: f64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a few dozen values")]
        let place = share * (self.0.len() - 1) as f64;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and a few dozen"
        )]
        let below = place.floor() as usize;
        let above = (below + 1).min(self.0.len() - 1);
        self.0[below] + (self.0[above] - self.0[below]) * place.fract()
    }

    /// The middle value.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// A quarter of the values is below it.
    pub fn lower_quartile(&self) -> f64 {
        self.quantile(0.25)
    }

    /// Nine tenths of the values are below it.
    pub fn ninth_decile(&self) -> f64 {
        self.quantile(0.9)
    }

    /// Smallest, median, ninth decile and largest, as text.
    pub fn range(&self, digits: usize) -> String {
        format!(
            "min {:.digits$}, median {:.digits$}, p90 {:.digits$}, max {:.digits$}, n = {}",
            self.quantile(0.0),
            self.median(),
            self.ninth_decile(),
            self.quantile(1.0),
            self.0.len()
        )
    }

    /// Median, quartiles and extremes, as text.
    pub fn spread(&self, digits: usize) -> String {
        format!(
            "{:.digits$} ({:.digits$}–{:.digits$}, all {:.digits$}–{:.digits$}, n = {})",
            self.median(),
            self.lower_quartile(),
            self.quantile(0.75),
            self.quantile(0.0),
            self.quantile(1.0),
            self.0.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Figures;

    #[test]
    fn quartiles_lie_between_neighbours() {
        let figures = Figures::new(vec![4.0, 1.0, 3.0, 2.0]);
        assert!((figures.median() - 2.5).abs() < 1e-9);
        assert!((figures.lower_quartile() - 1.75).abs() < 1e-9);
    }
}
