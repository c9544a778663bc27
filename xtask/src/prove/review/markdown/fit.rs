//! As much of a review as a comment may hold. Pure.

/// One section in its forms, from the shortest to the longest; each has all that the one before it has.
pub(super) struct Section {
    pub(super) forms: Vec<String>,
    /// The heavier ones get their room first.
    pub(super) weight: usize,
}

/// What there was room for.
pub(super) struct Fitted {
    /// The sections in their order, those left out without a text.
    pub(super) texts: Vec<Option<String>>,
    /// How many sections have not even their shortest form.
    pub(super) left_out: usize,
    /// How many sections lack each of the longer forms, the second one first.
    pub(super) shortened: Vec<usize>,
}

/// Gives each section its shortest form, and then longer ones to the heaviest, as long as there is room for so many bytes.
pub(super) fn fit(sections: &[Section], mut room: usize) -> Fitted {
    let mut order: Vec<usize> = (0..sections.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(sections[index].weight));
    let mut chosen: Vec<Option<usize>> = vec![None; sections.len()];
    let most = sections.iter().map(|section| section.forms.len()).max().unwrap_or_default();
    for form in 0..most {
        for &index in &order {
            let forms = &sections[index].forms;
            let (Some(text), before) = (forms.get(form), chosen[index]) else { continue };
            if before.map_or(0, |before| before + 1) != form {
                continue;
            }
            let more = text.len().saturating_sub(before.map_or(0, |before| forms[before].len()));
            if more <= room {
                room -= more;
                chosen[index] = Some(form);
            }
        }
    }
    let lacks = |form: usize| {
        let lacking = sections
            .iter()
            .zip(&chosen)
            .filter(|(section, chosen)| section.forms.len() > form && **chosen < Some(form));
        lacking.count()
    };
    Fitted {
        left_out: chosen.iter().filter(|chosen| chosen.is_none()).count(),
        shortened: (1..most).map(lacks).collect(),
        texts: chosen
            .iter()
            .zip(sections)
            .map(|(chosen, section)| chosen.map(|form| section.forms[form].clone()))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(lengths: &[&[usize]], weights: &[usize], room: usize) -> (Vec<usize>, usize, Vec<usize>) {
        let form = |length: &usize| "x".repeat(*length);
        let section =
            |(forms, weight): (&&[usize], &usize)| Section { forms: forms.iter().map(form).collect(), weight: *weight };
        let sections: Vec<Section> = lengths.iter().zip(weights).map(section).collect();
        let Fitted { texts, left_out, shortened } = fit(&sections, room);
        (texts.iter().map(|text| text.as_ref().map_or(0, String::len)).collect(), left_out, shortened)
    }

    #[test]
    fn the_heaviest_get_their_room_first_and_everyone_a_line_before_anyone_gets_more() {
        let lengths: &[&[usize]] = &[&[10, 20, 100], &[10, 20, 30], &[10, 20, 40]];
        assert_eq!(fitted(lengths, &[0, 0, 9], 1_000), (vec![100, 30, 40], 0, vec![0, 0]));
        assert_eq!(fitted(lengths, &[0, 0, 9], 90), (vec![20, 30, 40], 0, vec![0, 1]));
        assert_eq!(fitted(lengths, &[0, 0, 9], 40), (vec![10, 10, 20], 0, vec![2, 3]));
        assert_eq!(fitted(lengths, &[0, 0, 9], 25), (vec![10, 0, 10], 1, vec![3, 3]));
        assert_eq!(fitted(&[], &[], 25), (vec![], 0, vec![]));
    }
}
