//! Medians and their spread.

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
    fn quantile(&self, share: f64) -> f64 {
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
